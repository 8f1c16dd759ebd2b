"""The controllers: what is made of each custom resource."""
