// Command rebake keeps a directory of static pages fresh. See the package
// daemon, or `rebake --help`.
package main

import (
	"os"

	"rebake/daemon"
)

func main() {
	os.Exit(daemon.Main(daemon.UntilSignal(), os.Args[1:], os.Stdout, os.Stderr, daemon.HangupSignals))
}
