package daemon

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// service runs until its context is done.
type service func(context.Context) error

// runStages runs all services of all stages at once, and stops them stage by
// stage, the first stage first: what takes requests before what works on them,
// before what keeps their state. The first service that fails stops all.
func runStages(ctx context.Context, stages ...[]service) error {
	var all errgroup.Group
	failing, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	ended := make([]chan struct{}, len(stages))
	stops := make([]context.CancelFunc, len(stages))
	for i, stage := range stages {
		ended[i] = make(chan struct{})
		stageCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
		stops[i] = stop
		var g errgroup.Group
		for _, run := range stage {
			g.Go(func() error {
				err := run(stageCtx)
				if err != nil {
					failed(err)
				}
				return err
			})
		}
		all.Go(func() error {
			defer close(ended[i])
			return g.Wait()
		})
	}
	<-failing.Done()
	for i := range stages {
		stops[i]()
		<-ended[i]
	}
	return all.Wait()
}
