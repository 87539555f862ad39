package ledger

import (
	"context"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
)

const (
	// unknownRest is after how long is looked again at what another version of
	// rebake may know, and unknownLooks is how often: for a day.
	unknownRest  = time.Minute
	unknownLooks = 24 * 60
	// unknownLook is one look, behind the point of a score that is else whole
	// milliseconds: so it is forgotten with its entry. It is a power of two that
	// a score has room for.
	unknownLook = 1.0 / 2048
)

// postponeScript changes what nobody has changed since it was read.
// KEYS: a sorted set.  ARGV: for each entry member, score that it had or "",
// new score or "" to take it out
var postponeScript = redis.NewScript(`
for i = 1, #ARGV, 3 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and (ARGV[i + 1] == '' or tonumber(score) == tonumber(ARGV[i + 1])) then
    if ARGV[i + 2] == '' then
      redis.call('ZREM', KEYS[1], ARGV[i])
    else
      redis.call('ZADD', KEYS[1], ARGV[i + 2], ARGV[i])
    end
  end
end
return 0
`)

// postpone puts aside entries of `dirty` or `timers` that this version does not
// know, so that they keep no others from being seen: a newer version that runs
// beside it may have written them. What nobody has seen to for a day, or is no
// text, is taken out.
func (l *Ledger) postpone(ctx context.Context, key string, entries []redis.Z, now time.Time) error {
	if len(entries) == 0 {
		return nil
	}
	var args []any
	for _, z := range entries {
		member, _ := z.Member.(string)
		_, part := math.Modf(z.Score)
		was, next := scoreText(z.Score), ""
		if z.Score == 0 { // see addFar
			was = ""
		}
		looks := math.Abs(part)/unknownLook + 1
		if member != "" && utf8.ValidString(member) && looks < unknownLooks {
			next = scoreText(float64(now.Add(unknownRest).UnixMilli()) + looks*unknownLook)
		}
		args = append(args, member, was, next)
	}
	return postponeScript.Run(ctx, l.rdb, []string{l.key(key)}, args...).Err()
}

func scoreText(score float64) string { return strconv.FormatFloat(score, 'f', -1, 64) }
