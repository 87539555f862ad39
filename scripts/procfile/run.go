package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// run starts the processes in their order and ends them in the opposite one,
// when ctx is done or as soon as one has ended, which is then the error. When
// it returns, none of them is left.
func run(ctx context.Context, entries []entry, out io.Writer, grace time.Duration) error {
	printer := newPrinter(out, entries)
	var started []*process
	var err error
	for _, e := range entries {
		p, startErr := fork(e, printer.writer(e.name))
		if startErr != nil {
			err = fmt.Errorf("start %s: %w", e.name, startErr)
			break
		}
		started = append(started, p)
	}
	if err == nil {
		err = firstEnd(ctx, started)
	}
	if err != nil {
		printer.say("%v; stopping the others", err)
	} else {
		printer.say("stopping")
	}
	for _, p := range slices.Backward(started) {
		if !p.stop(grace) {
			late := fmt.Errorf("%s did not end within %v and was killed", p.name, grace)
			printer.say("%v", late)
			err = errors.Join(err, late)
		}
	}
	return err
}

// firstEnd waits until ctx is done, or returns how the first process ended.
func firstEnd(ctx context.Context, started []*process) error {
	ended := make(chan *process, len(started))
	done := make(chan struct{})
	defer close(done)
	for _, p := range started {
		go func() {
			select {
			case <-p.over:
				ended <- p
			case <-done:
			}
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case p := <-ended:
		return fmt.Errorf("%s ended: %v", p.name, p.cmd.ProcessState)
	}
}
