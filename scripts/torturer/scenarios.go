package main

import (
	"slices"
	"time"
)

// soon is how long a restart may take to bring every page up to date.
const soon = 5 * time.Second

// scenarios are all that there are, in the order in which they run.
func scenarios() []Scenario {
	return slices.Concat([]Scenario{
		{Name: "races", About: "a second trigger within the render of the first, for 100 pages", Run: races,
			Short: Demand{Faults: 100, Triggers: 200}, Long: Demand{Faults: 3000, Triggers: 6000}},
		{Name: "hot-pages", About: "40 pages, 16 senders, slow and failing renders, mixed priorities", Run: hotPages,
			Short: Demand{Faults: 20, Triggers: 600}, Long: Demand{Faults: 500, Triggers: 30_000}},
		{Name: "kills", About: "kill -9, pauses longer than the lease and SIGTERM of apis and workers, at random", Run: kills,
			Short: Demand{Faults: 20, Triggers: 500, Recovery: soon}, Long: Demand{Faults: 200, Triggers: 10_000, Recovery: soon}},
		{Name: "kills-alone", About: "kill -9 of a whole Rebake with a redis-server of its own", Run: killsAlone,
			Short: Demand{Faults: 2, Triggers: 200, Recovery: soon}, Long: Demand{Faults: 40, Triggers: 3000, Recovery: soon}},
		{Name: "webhooks", About: "kill -9 of a whole Rebake, webhooks that settle, and a source that shows edits 1.5 s late", Run: webhooks,
			Short: Demand{Faults: 2, Triggers: 40}, Long: Demand{Faults: 20, Triggers: 400}},
		{Name: "deletes", About: "an edit and a deletion of the same page at the same time", Run: deletes,
			Short: Demand{Faults: 60, Triggers: 120}, Long: Demand{Faults: 500, Triggers: 1000}},
		{Name: "walks", About: "tags, prefixes and the site, while pages come and go and Redis is killed", Run: walks,
			Short: Demand{Faults: 2, Triggers: 60}, Long: Demand{Faults: 60, Triggers: 3000}},
	}, redisScenarios(), diskScenarios(), controls())
}

func redisScenarios() []Scenario {
	return []Scenario{
		{Name: "redis-killed", About: "kill -9 of Redis", Run: redisScenario("killed"),
			Short: Demand{Faults: 3, Triggers: 100, Recovery: soon}, Long: Demand{Faults: 40, Triggers: 2000, Recovery: soon}},
		{Name: "redis-away", About: "no Redis for 5 s, or 30 s", Run: redisScenario("away"),
			Short: Demand{Faults: 1, Triggers: 40, During: 20, Recovery: soon}, Long: Demand{Faults: 4, Triggers: 200, During: 100, Recovery: soon}},
		{Name: "redis-full", About: "Redis at its maxmemory", Run: redisScenario("full"), LongOnly: true,
			Short: Demand{Faults: 1, Triggers: 40, During: 20, Recovery: soon}, Long: Demand{Faults: 6, Triggers: 200, During: 100, Recovery: soon}},
		{Name: "redis-read-only", About: "a Redis that has become a replica", Run: redisScenario("read-only"), LongOnly: true,
			Short: Demand{Faults: 1, Triggers: 40, During: 20, Recovery: soon}, Long: Demand{Faults: 6, Triggers: 200, During: 100, Recovery: soon}},
		{Name: "redis-cut", About: "answers of Redis that are lost, cut off, or never come", Run: cutReplies, LongOnly: true,
			Short: Demand{Faults: 3, Triggers: 100, During: 20, Recovery: soon}, Long: Demand{Faults: 24, Triggers: 1000, During: 100, Recovery: soon}},
	}
}

func controls() []Scenario {
	return []Scenario{
		{Name: "control-forgetful", About: "a Redis without a file is killed: the judge must miss triggers", Run: forgetful, Control: true, LongOnly: true,
			Short: Demand{Faults: 1, Triggers: 80}, Long: Demand{Faults: 1, Triggers: 80}},
		{Name: "control-vandal", About: "somebody else writes into the output: the judge must see it", Run: vandal, Control: true, LongOnly: true,
			Short: Demand{Faults: 2, Triggers: 40}, Long: Demand{Faults: 2, Triggers: 40}},
	}
}
