package daemon

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// UntilSignal returns a context that the first SIGINT or SIGTERM cancels. When
// it is done the next one ends the process at once: signal.NotifyContext
// promises that only once its stop has been called, and whoever sees the stop
// begin may be faster.
func UntilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() { // owned by the process: it ends with the first signal
		<-c
		signal.Stop(c)
		cancel()
	}()
	return ctx
}

// HangupSignals is the Hangups of a whole process.
func HangupSignals() <-chan os.Signal {
	c := make(chan os.Signal, 1) // two that come at once ask for the same
	signal.Notify(c, syscall.SIGHUP)
	return c
}
