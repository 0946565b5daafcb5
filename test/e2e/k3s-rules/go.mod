module k3s-rules

go 1.24
