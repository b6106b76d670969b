// What programs made with client-go do, against the cluster of $KUBECONFIG.
package main

import "coxswain.test/clients/scenario"

func main() {
	scenario.Main(map[string]func(*scenario.Run){
		"typed":           typed,
		"every-kind":      everyKind,
		"dynamic":         dynamicClient,
		"metadata":        metadataClient,
		"informers":       informersOverACrash,
		"leader-election": leaderElection,
		"apply":           apply,
		"retry":           retryOnConflict,
		"table":           table,
		"watch-list":      watchList,
		"pages":           pages,
		"discovery":       discoveryAndMapper,
	})
}
