package upstream

import (
	"errors"
	"time"
)

// Every is how often something is done by itself, "5m", or "off". The zero
// value leaves that to whoever asks.
type Every time.Duration

// Off is never.
const Off Every = -1

// leastEvery keeps a typing error from becoming an attack on a CMS.
const leastEvery = 10 * time.Second

// Or returns the time between two turns, 0 for never; usual is that of the
// zero value.
func (e Every) Or(usual time.Duration) time.Duration {
	switch e {
	case 0:
		return usual
	case Off:
		return 0
	}
	return time.Duration(e)
}

// UnmarshalText reads "5m" or "off".
func (e *Every) UnmarshalText(b []byte) error {
	if string(b) == "off" {
		*e = Off
		return nil
	}
	d, err := time.ParseDuration(string(b))
	if err != nil || d < leastEvery {
		return errors.New("must be off, or a duration of at least 10s, such as 5m")
	}
	*e = Every(d)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (e Every) MarshalText() ([]byte, error) {
	if e == Off {
		return []byte("off"), nil
	}
	return []byte(time.Duration(e).String()), nil
}
