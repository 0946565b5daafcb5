// A container runtime that runs nothing, so that a real kubelet starts where there is none: upstream's own, of its tests.
package main

import (
	"fmt"
	"os"

	"k8s.io/cri-client/pkg/fake"
)

// Listens at the endpoint that is its one argument, `unix:///…`, until it is ended.
func main() {
	if err := fake.NewFakeRemoteRuntime().Start(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}
