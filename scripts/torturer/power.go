package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// powerCuts cuts the power of a site again and again, at random moments of
// publishing and of recovering. What has to hold then:
//
//   - Straight after the mount, before Rebake runs: every page is whole, and its
//     .gz says the same.
//   - A page whose trigger was answered with "published" (wait=1) is at least
//     as new as that: what was finished is on disk. A page that readers had
//     seen before it was finished may be the older one again: its rename had
//     not reached the disk, and it is still owed.
//   - From the mount on, no page goes back to an older version.
//   - Every trigger that was answered with 200 shows within seconds of the
//     start, and nobody has sent it again.
func powerCuts(kind string, short, long int, o powerOptions) func(context.Context, *Lab) (Outcome, error) {
	return func(ctx context.Context, lab *Lab) (Outcome, error) {
		p, err := newPowerSite(ctx, lab, kind, o)
		if err != nil {
			return Outcome{}, err
		}
		for range lab.Size(short, long) {
			if err := p.once(ctx); err != nil {
				return Outcome{Notes: p.notes}, err
			}
			if p.harmed() {
				break // leave it as it is, to be looked at
			}
		}
		out, err := p.verdict(ctx)
		out.Faults, out.Recovery = p.cuts, p.recovery
		out.Lost = max(out.Lost, p.lost) + p.reverted
		out.Notes = append(p.notes, out.Notes...)
		return out, err
	}
}

// verdict is the judge's. What was waited for already is not waited for again;
// and where a page has no .gz, the judge would miss it.
func (p *powerSite) verdict(ctx context.Context) (Outcome, error) {
	within := mostRecovery
	if p.lost > 0 {
		within = 0
	}
	if !p.Unpacked {
		return p.judge.Verdict(ctx, within)
	}
	_, wrong, err := p.judge.Pay(ctx, p.judge.Debt(), time.Now(), within)
	out := p.judge.sofar()
	out.Lost = len(wrong)
	return out, err
}

// sofar is what the judge has seen until now, without a last look.
func (j *Judge) sofar() Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Outcome{Triggers: j.acks, Renders: j.source.Renders(), Torn: j.torn, Older: j.older, Notes: slices.Clone(j.notes)}
}

// mostRecovery is how long the judge waits for pages after a start, longer than
// Rebake may take.
const mostRecovery = 20 * time.Second

// once is one round: triggers, the cut, the mount, the start.
func (p *powerSite) once(ctx context.Context) error {
	if p.Before != nil {
		if err := p.Before(ctx, p); err != nil {
			return err
		}
	}
	cut := p.cutUnderLoad
	if p.Quiet || p.cuts%2 == 1 {
		cut = p.cutAfterAnswer
	}
	if err := cut(ctx); err != nil {
		return err
	}
	if err := p.powerOff(ctx); err != nil {
		return err
	}
	for _, d := range p.disks {
		if err := d.Mount(ctx); err != nil {
			return err
		}
	}
	p.cuts++
	p.lookAtDisk()
	p.stop = p.judge.Watch(ctx)
	return p.start(ctx)
}

// cutUnderLoad cuts the power while pages are triggered, rendered, published
// and finished.
func (p *powerSite) cutUnderLoad(ctx context.Context) error {
	p.source.Set(Mood{Latency: 300 * time.Millisecond})
	sending, end := context.WithCancel(ctx)
	var senders sync.WaitGroup
	triggered, awaited := append(p.turn(130), p.born(6)...), append(p.turn(36), p.born(4)...)
	rand.Shuffle(len(triggered), func(i, j int) { triggered[i], triggered[j] = triggered[j], triggered[i] })
	senders.Go(func() { p.each(sending, triggered, p.load.One) })
	senders.Go(func() { p.each(sending, awaited, p.publish) })
	err := Sleep(ctx, 300*time.Millisecond+rand.N(1500*time.Millisecond))
	if err == nil {
		err = p.cutPower()
	}
	end()
	_ = p.server.Kill()
	senders.Wait()
	return err
}

// cutAfterAnswer cuts the power a moment after pages were answered as published
// and others were acknowledged, with nothing else on its way: no other page's
// fsync brings them to the disk.
func (p *powerSite) cutAfterAnswer(ctx context.Context) error {
	p.source.Set(Mood{})
	last := append(p.turn(2), p.born(2)...)
	rand.Shuffle(len(last), func(i, j int) { last[i], last[j] = last[j], last[i] })
	for _, path := range last {
		p.publish(ctx, path)
	}
	p.source.Set(Mood{Latency: 20 * time.Second})
	p.each(ctx, p.turn(60), p.load.One)
	return p.cutPower()
}

func (p *powerSite) cutPower() error {
	for _, d := range p.disks {
		if err := d.CutPower(); err != nil {
			return err
		}
	}
	return nil
}

// powerOff ends everything that ran, and takes the disks away.
func (p *powerSite) powerOff(ctx context.Context) error {
	p.stop()
	_ = p.server.Kill()
	if p.redis != nil {
		_ = p.redis.Kill() // it may have ended by itself: its disk is gone
	}
	for _, d := range p.disks {
		if err := d.Unmount(ctx); err != nil {
			return err
		}
	}
	return nil
}

// lookAtDisk judges what the cut has left, before anything runs.
func (p *powerSite) lookAtDisk() {
	p.judge.AfterPowerCut()
	for _, path := range p.source.Paths() {
		p.judge.inspect(path)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for path, version := range p.finished {
		if problem := p.judge.problem(path, account{owed: version}); problem != "" {
			p.reverted++
			p.note(fmt.Sprintf("reverted: cut %d, straight after the mount: %s: %s, and published", p.cuts, path, problem))
		}
	}
	p.lab.Say("cut %d: %d pages had been answered as published", p.cuts, len(p.finished))
	clear(p.finished)
}

// start starts everything again and waits until every page has what was
// acknowledged.
func (p *powerSite) start(ctx context.Context) error {
	p.source.Set(Mood{Latency: 20 * time.Millisecond})
	if p.redis != nil {
		if err := p.redis.Start(ctx); err != nil {
			return err
		}
	}
	owed := p.judge.Debt()
	if err := p.server.Start(); err != nil {
		return err
	}
	if !p.Quiet && rand.N(4) == 0 { // the next cut comes in the middle of it
		return p.server.Ready(ctx)
	}
	took, wrong, err := p.judge.Pay(ctx, owed, p.server.Started, mostRecovery)
	if p.lost += len(wrong); len(wrong) == 0 {
		p.recovery = max(p.recovery, took)
	}
	for _, w := range wrong {
		p.note(fmt.Sprintf("cut %d: %s", p.cuts, w))
	}
	if err != nil {
		return err
	}
	return p.server.Ready(ctx)
}

func (p *powerSite) note(text string) {
	if len(p.notes) < mostNotes {
		p.notes = append(p.notes, text)
	}
}

// harmed reports whether anything was seen that must not be.
func (p *powerSite) harmed() bool {
	p.judge.mu.Lock()
	defer p.judge.mu.Unlock()
	return p.reverted+p.lost+p.judge.torn+p.judge.older > 0
}
