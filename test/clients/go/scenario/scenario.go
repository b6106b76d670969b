// Package scenario is what the programs here have in common: they are called as `<program> <scenario> <namespace>`,
// play that scenario against the cluster of $KUBECONFIG, and exit with 1 and a reason where something is not as it should be.
package scenario

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Limit is how long a scenario may take, crashes of the control plane included.
const Limit = 60 * time.Second

const pollInterval = 100 * time.Millisecond

// Run plays a scenario in a namespace of its own.
type Run struct {
	Context   context.Context
	Config    *rest.Config
	Namespace string
}

type failure struct{ error }

// Main runs the scenario that the command line names.
func Main(scenarios map[string]func(*Run)) {
	if len(os.Args) != 3 || scenarios[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: <program> <scenario> <namespace>")
		os.Exit(2)
	}
	defer func() {
		if reason := recover(); reason != nil {
			failed, ok := reason.(failure)
			if !ok {
				panic(reason)
			}
			fmt.Fprintln(os.Stderr, failed.Error())
			os.Exit(1)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	config := Must(clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")))
	config.QPS, config.Burst = 1000, 1000
	scenarios[os.Args[1]](&Run{Context: ctx, Config: config, Namespace: os.Args[2]})
}

// OK ends the scenario where there is an error.
func OK(err error) {
	if err != nil {
		panic(failure{fmt.Errorf("%T: %w", err, err)})
	}
}

// Must gives a value that has to be there.
func Must[T any](value T, err error) T {
	OK(err)
	return value
}

// Check ends the scenario where something is not so.
func Check(is bool, format string, values ...any) {
	if !is {
		panic(failure{fmt.Errorf(format, values...)})
	}
}

// Equal ends the scenario where two values differ.
func Equal[T comparable](what string, got, want T) {
	Check(got == want, "%s: got %v, want %v", what, got, want)
}

// Eventually waits until nothing is wrong any more; what was wrong last is told otherwise.
func (run *Run) Eventually(what string, wrong func() error) {
	var last error
	err := wait.PollUntilContextCancel(run.Context, pollInterval, true, func(context.Context) (bool, error) {
		last = wrong()
		return last == nil, nil
	})
	Check(err == nil, "%s: %v (%v)", what, last, err)
}

// Crash has the control plane killed, and comes back at once: it is being started again then.
func Crash() {
	fmt.Println("crash")
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	OK(err)
}
