package main

import (
	"slices"
	"time"
)

// mended is how long after the end of a fault every page is up to date: what has
// failed a few times waits for some seconds before it is tried again.
const mended = 15 * time.Second

// diskScenarios are about files, their system calls and the disk below them.
func diskScenarios() []Scenario {
	return slices.Concat([]Scenario{
		{Name: "system-calls", About: "every system call of a publish and a removal fails, or is the last", Run: sweepSyscalls,
			Short: Demand{Faults: 250}, Long: Demand{Faults: 700}},
		{Name: "power-ext4", About: "power cuts under output, state and Rebake's own Redis, on ext4", Run: powerCuts("ext4", 1, 25, powerOptions{}),
			Short: Demand{Faults: 1, Triggers: 300, Recovery: soon}, Long: Demand{Faults: 25, Triggers: 2000, Recovery: soon}},
		{Name: "power-xfs", About: "the same on xfs", Run: powerCuts("xfs", 1, 25, powerOptions{}), LongOnly: true,
			Short: Demand{Faults: 1, Triggers: 300, Recovery: soon}, Long: Demand{Faults: 25, Triggers: 2000, Recovery: soon}},
		{Name: "power-apart-ext4", About: "power cuts with Redis on a disk of its own, on ext4", Run: powerCuts("ext4", 2, 10, powerOptions{Apart: true, Unpacked: true}), LongOnly: true,
			Short: Demand{Faults: 2, Triggers: 300, Recovery: soon}, Long: Demand{Faults: 10, Triggers: 800, Recovery: soon}},
		{Name: "power-apart-xfs", About: "the same on xfs", Run: powerCuts("xfs", 2, 10, powerOptions{Apart: true, Unpacked: true}), LongOnly: true,
			Short: Demand{Faults: 2, Triggers: 300, Recovery: soon}, Long: Demand{Faults: 10, Triggers: 800, Recovery: soon}},
		{Name: "disk-full", About: "no byte left on the disk of output and state", Run: diskScenario("full", 1, 5), LongOnly: true,
			Short: Demand{Faults: 1, During: 20, Recovery: mended}, Long: Demand{Faults: 5, During: 100, Recovery: mended}},
		{Name: "disk-full-all", About: "the same, with Rebake's own Redis on it", Run: diskScenario("full-all", 1, 5), LongOnly: true,
			Short: Demand{Faults: 1, Recovery: mended}, Long: Demand{Faults: 5, Recovery: mended}},
		{Name: "disk-no-inodes", About: "no inode left", Run: diskScenario("no-inodes", 1, 5), LongOnly: true,
			Short: Demand{Faults: 1, During: 20, Recovery: mended}, Long: Demand{Faults: 5, During: 100, Recovery: mended}},
		{Name: "disk-fsync-eio", About: "every fsync fails", Run: diskScenario("fsync-eio", 1, 5), LongOnly: true,
			Short: Demand{Faults: 1, During: 20, Recovery: mended}, Long: Demand{Faults: 5, During: 100, Recovery: mended}},
		{Name: "disk-read-only", About: "the file system gives up and is read-only", Run: diskScenario("read-only", 1, 5), LongOnly: true,
			Short: Demand{Faults: 1, During: 20, Recovery: mended}, Long: Demand{Faults: 5, During: 100, Recovery: mended}},
		{Name: "disk-unmounted", About: "output and state are unmounted under the daemon, and come back", Run: diskScenario("unmounted", 1, 5), LongOnly: true,
			Short: Demand{Faults: 1, During: 20, Recovery: mended}, Long: Demand{Faults: 5, During: 100, Recovery: mended}},
		{Name: "disk-not-mounted", About: "the daemon is started while its disk is not mounted", Run: diskScenario("restarted-unmounted", 1, 3), LongOnly: true,
			Short: Demand{Faults: 1, Recovery: mended}, Long: Demand{Faults: 3, Recovery: mended}},
	}, powerControls())
}
