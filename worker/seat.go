package worker

import "context"

// seat is where a walk is followed. It is used by the one goroutine that
// follows it.
type seat struct {
	walker *walker       // nil where walks stay to their end
	left   chan struct{} // closed when another walk may have the seat
	moved  bool          // left is closed
	long   bool          // it has a seat in walker.long instead
}

// batch is how many pages are taken at once.
func (s *seat) batch() int {
	if s.walker == nil || s.moved {
		return walkBatch
	}
	return editBatch
}

// makeWay leaves a seat for edits to the next one, since the walk is a long
// one, and waits for a seat among those; its lease is kept meanwhile.
func (s *seat) makeWay(ctx context.Context) error {
	if s.walker == nil || s.moved {
		return nil
	}
	select {
	case s.walker.waiting <- struct{}{}:
	default:
		return nil // so many wait that the next ones had better, too
	}
	defer func() { <-s.walker.waiting }()
	s.moved = true
	close(s.left)
	select {
	case s.walker.long <- struct{}{}:
		s.long = true
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave is for the end of the walk.
func (s *seat) leave() {
	if !s.moved {
		s.moved = true
		close(s.left)
	}
	if s.long {
		s.long = false
		<-s.walker.long
	}
}
