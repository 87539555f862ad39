package ledger

import (
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
)

// modelRecord is what the ledger has of one path.
type modelRecord struct {
	status        string        // of what is owed, "" for nothing
	owedFor       time.Duration // negative for ever
	dirty, failed bool          // it is in these sets
	is            bool          // it has a record of a page
	published     bool
	removed       bool
	keptFor       time.Duration // negative for ever
}

// recordsScript reads at once what is compared at every step.
var recordsScript = redis.NewScript(`
local list = {}
for i, path in ipairs(ARGV) do
  local owed, page = KEYS[1] .. 'owed:' .. path, KEYS[1] .. 'page:' .. path
  local p = redis.call('HMGET', page, 'g0', 'hash', 'gone')
  list[i] = {redis.call('HGET', owed, 'st') or '', redis.call('PTTL', owed),
    redis.call('ZSCORE', KEYS[1] .. 'dirty', path) or '', redis.call('ZSCORE', KEYS[1] .. 'failed', path) or '',
    p[1] or '', p[2] or '', p[3] or '', redis.call('PTTL', page)}
end
return {list, redis.call('ZRANGE', KEYS[1] .. 'timers', 0, -1, 'WITHSCORES')}`)

// records reads what the ledger has of each path, and its timers.
func (m *model) records() (map[storage.Path]modelRecord, map[string]time.Time) {
	args := make([]any, len(m.paths))
	for i, p := range m.paths {
		args[i] = p.String()
	}
	all, err := recordsScript.Run(m.ctx, m.rdb, []string{m.key("")}, args...).Slice()
	if err != nil {
		m.t.Fatal(err)
	}
	records, timers := map[storage.Path]modelRecord{}, map[string]time.Time{}
	for i, v := range all[0].([]any) {
		r := reply(v.([]any))
		records[m.paths[i]] = modelRecord{
			status: r.text(0), owedFor: r.duration(1), dirty: r.text(2) != "", failed: r.text(3) != "",
			is: r.text(4) != "", published: r.text(5) != "", removed: r.text(6) != "", keptFor: r.duration(7),
		}
	}
	set := reply(all[1].([]any))
	for i := 0; i < len(set); i += 2 {
		timers[set.text(i)] = time.UnixMilli(set.number(i + 1))
	}
	return records, timers
}

// check compares what must always be as the maps say.
func (m *model) check() {
	if m.wrong != "" {
		return
	}
	records, timers := m.records()
	for _, p := range m.paths {
		m.checkOwed(p, records[p])
		m.checkPage(p, records[p])
	}
	m.checkTimers(timers)
}

// checkOwed compares whether a page has a record with whether it has an unmet
// trigger, and the record with the set that the sweeper reads. What visitors
// asked for in vain is in no set, and ends by itself.
func (m *model) checkOwed(p storage.Path, r modelRecord) {
	owed, unmet, open := r.status != "", m.accepted[p] > m.met[p], m.visits.open[p]
	told := m.visits.told(p, owed)
	if owed != (unmet || open || told) {
		m.violation("%s has a record: %v; has an unmet trigger: %v (newest %d, met %d); is a visitor's wish: %v, in vain: %v",
			p, owed, unmet, m.accepted[p], m.met[p], open, told)
	}
	if (r.owedFor >= 0) != told {
		m.violation("the record of %s ends in %v; is a visitor's wish in vain: %v", p, r.owedFor, told)
	}
	if !owed && m.files[p].version < m.direct[p] {
		m.violation("%s is owed nothing, and served at version %d; asked for at %d", p, m.files[p].version, m.direct[p])
	}
	failed := r.status == "failed"
	if r.failed != (failed && !told) || r.dirty != (owed && !failed) {
		m.violation("%s is %q; in dirty: %v, in failed: %v", p, r.status, r.dirty, r.failed)
	}
}

// checkPage compares what the ledger says was published with what runs have
// told it. A path that never was a page has no record.
func (m *model) checkPage(p storage.Path, r modelRecord) {
	if !m.has(theTombstone) {
		return
	}
	is, published := m.labels.isPage[p], m.labels.published[p]
	if r.is != is || r.published != published || r.removed != (is && !published) {
		m.violation("%s has a record: %v, of a publication: %v, of a removal: %v; was a page: %v, is one: %v",
			p, r.is, r.published, r.removed, is, published)
	}
	if (r.keptFor >= 0) != r.removed || r.keptFor > tombstone {
		m.violation("the record of %s, of a removal: %v, ends in %v", p, r.removed, r.keptFor)
	}
}

// checkPublication says whether a run that the fence let through may do what
// it is about to.
func (m *model) checkPublication(r *modelRun) {
	file := m.files[r.Path]
	switch {
	case r.version < file.version:
		m.violation("%s went backwards, from version %d to %d", r.Path, file.version, r.version)
	case r.number < file.by:
		m.violation("%s was changed last by run %d, and now by run %d", r.Path, file.by, r.number)
	case !r.removes() && m.removals.sealed[r.Path]:
		m.violation("%s is to stay removed, and is published", r.Path)
	case !r.remove && gone(r.version) && (file.there || m.labels.published[r.Path]) && !m.readTwice(r.Path):
		m.violation("%s is removed after one reading, or two in a row", r.Path)
	}
}

// readTwice says whether the source has said already some time ago that the
// page is gone.
func (m *model) readTwice(p storage.Path) bool {
	at, ok := m.removals.readGone[p]
	return ok && time.Since(at) >= confirmGone
}

// checkFiles compares, when nothing is owed, the files with the records.
func (m *model) checkFiles() {
	for _, p := range m.paths {
		if there := m.files[p].there || m.removals.byHand[p]; there != m.labels.published[p] {
			m.violation("%s has a file: %v; a record of its publication: %v", p, m.files[p].there, m.labels.published[p])
		}
		if m.files[p].there && m.removals.sealed[p] {
			m.violation("%s is to stay removed, and has a file", p)
		}
	}
}
