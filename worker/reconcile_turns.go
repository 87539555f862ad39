package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"rebake/renderer"
	"rebake/storage/ledger"
)

// turns is the name of the place that says where a poll begins. No collection
// and no list is called so.
const turns = ""

// inTurn looks at what has these names, and begins after what was the last that
// the poll before came to the end of, if there was not time for all. So each has
// its turn, however slow the others are. One that even a poll which begins with
// it is too short for, or that ends the poll by an error, does not keep the
// others from theirs.
func (p *poll) inTurn(ctx context.Context, names []string, look func(i int) error) error {
	pl := p.place(turns)
	begin := slices.Index(names, pl.After) + 1
	for n := range names {
		i := (begin + n) % len(names)
		err := look(i)
		if err == nil {
			pl.After = names[i]
			continue
		}
		switch {
		case !spent(ctx, err):
			pl.After = names[i]
		case n == 0:
			pl.After, err = names[i], nil
			p.note("%s: one poll is too short for it; what it did not come to is not found", names[i])
		default:
			err = nil
			p.note("%s: the poll was too short for it; the next begins with it", names[i])
		}
		return errors.Join(err, p.settle(ctx, turns, Trigger{}, ledger.Memory{}))
	}
	return nil
}

// news looks at what has changed last. A quarter of the time and of the
// requests is left for the comparison of everything.
func (p *poll) news(ctx context.Context, all []renderer.Collection) error {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Until(end)*3/4, errSpent)
		defer cancel()
	}
	p.most -= (p.limits.requests - p.report.Requests) / 4
	defer func() { p.most = p.limits.requests }()
	var names []string
	for _, c := range all {
		names = append(names, c.Name())
	}
	return p.inTurn(ctx, names, func(i int) error { return p.try(ctx, all[i], p.recent) })
}

// try looks at a collection, unless it was found that it cannot be read.
func (p *poll) try(ctx context.Context, c renderer.Collection, look func(context.Context, renderer.Collection) error) error {
	if p.shut[c.Name()] {
		return nil
	}
	err := look(ctx, c)
	answer := new(answerError)
	switch {
	case err == nil:
		p.some = true
		return nil
	case ctx.Err() != nil:
		return err
	case errors.Is(err, renderer.ErrNotShown):
		p.note("%s: %v", c.Name(), err)
	case errors.As(err, &answer) && p.watch.Down().IsZero():
		p.fail(c.Name(), answer.error)
	default:
		return err
	}
	p.shut[c.Name()] = true
	return nil
}

// answerError is an answer for one collection that is of no use.
type answerError struct{ error }

func (e *answerError) Unwrap() error { return e.error }
