// Writes what Go's JSON encoding does with each type of the Kubernetes API: which fields it always sends, which it
// leaves out when empty, what each is decoded into. src/kubewright/server/data/gotypes.json.gz is its output:
//
//	cp scripts/go_types/main.go <a module requiring k8s.io/kubernetes v1.37> && go run . | gzip -9n > .../gotypes.json.gz
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

type field struct {
	Name string `json:"n"`
	// Omit is "" (always sent), "empty" (omitempty) or "zero" (omitzero).
	Omit string `json:"o,omitempty"`
	Type string `json:"t"`
}

var types = map[string][]field{}

var special = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":                                      "time",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":                                 "microtime",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":                                  "duration",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":                                  "raw",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":                                  "quantity",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":                                "intorstring",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":                                   "raw",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":                  "raw",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool": "raw",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray": "raw",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "raw",
}

// A type is written as a prefix for each layer around a name: "*" pointer, "[" list, "{" map of string to.
func describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + describe(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[" + describe(t.Elem())
	case reflect.Map:
		return "{" + describe(t.Elem())
	case reflect.Struct:
		name := t.PkgPath() + "." + t.Name()
		if s, ok := special[name]; ok {
			return s
		}
		name = short(t)
		if _, ok := types[name]; !ok {
			types[name] = nil
			types[name] = fields(t)
		}
		return "#" + name
	default:
		return t.Kind().String()
	}
}

func short(t reflect.Type) string {
	parts := strings.Split(t.PkgPath(), "/")
	return strings.Join(parts[len(parts)-2:], "/") + "." + t.Name()
}

func fields(t reflect.Type) []field {
	out := []field{}
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("json")
		parts := strings.Split(tag, ",")
		if !ok || parts[0] == "-" || !f.IsExported() {
			continue
		}
		if parts[0] == "" {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			out = append(out, fields(embedded)...)
			continue
		}
		omit := ""
		for _, p := range parts[1:] {
			if p == "omitempty" && omit == "" {
				omit = "empty"
			}
			if p == "omitzero" {
				omit = "zero"
			}
		}
		out = append(out, field{parts[0], omit, describe(f.Type)})
	}
	return out
}

func main() {
	apiextensionsv1.AddToScheme(scheme.Scheme)
	apiregistrationv1.AddToScheme(scheme.Scheme)
	kinds := map[string]string{}
	for gvk, t := range scheme.Scheme.AllKnownTypes() {
		if strings.Contains(gvk.Version, "alpha") || strings.Contains(gvk.Version, "beta") || strings.HasPrefix(gvk.Version, "__") {
			continue
		}
		if gvk.Kind != "DeleteOptions" && t.PkgPath() == reflect.TypeOf(metav1.ListOptions{}).PkgPath() {
			continue
		}
		if strings.HasSuffix(gvk.Kind, "List") || gvk.Group == "extensions" || gvk.Group == "imagepolicy.k8s.io" {
			continue
		}
		describe(t)
		kinds[gvk.GroupVersion().String()+" "+gvk.Kind] = short(t)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"kinds": kinds, "types": types})
}
