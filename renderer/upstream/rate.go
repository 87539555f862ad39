package upstream

import (
	"fmt"
	"strconv"
	"strings"
)

// Rate is a number of requests per second, written "20/s" or "600/m"; the
// zero value sets no limit.
type Rate float64

// UnmarshalText reads "20/s", "600/m" or "1000/h".
func (r *Rate) UnmarshalText(b []byte) error {
	n, unit, ok := strings.Cut(string(b), "/")
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	v, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
	if !ok || per == 0 || err != nil || !(v > 0) || v > 1e9 {
		return fmt.Errorf("rate %q: write it as 20/s, 600/m or 1000/h", b)
	}
	*r = Rate(v / per)
	return nil
}

// MarshalText writes the rate per second.
func (r Rate) MarshalText() ([]byte, error) {
	return []byte(strconv.FormatFloat(float64(r), 'g', -1, 64) + "/s"), nil
}
