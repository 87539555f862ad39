package worker

import (
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/time/rate"
)

// asynqLog passes asynq's own messages on, and not all of them: while Redis is
// away it has several to say each second.
type asynqLog struct {
	log  *slog.Logger
	some *rate.Sometimes
}

func newAsynqLog(log *slog.Logger) asynqLog {
	return asynqLog{log.With("part", "asynq"), &rate.Sometimes{First: 3, Interval: 10 * time.Second}}
}

func (l asynqLog) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.log.Info(fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.some.Do(func() { l.log.Warn(fmt.Sprint(args...)) }) }
func (l asynqLog) Error(args ...any) { l.some.Do(func() { l.log.Error(fmt.Sprint(args...)) }) }

// Fatal does not end the process: that is main's alone.
func (l asynqLog) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...)) }
