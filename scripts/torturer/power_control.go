package main

import (
	"context"
	"path/filepath"
	"slices"
)

// powerControls break, on purpose, what a power cut must not: the judge has to
// see it. Without them a green run could mean that nothing was ever at risk.
func powerControls() []Scenario {
	// Redis that gathers what it has acknowledged for up to a second.
	everysec := powerOptions{Apart: true, Quiet: true, RedisArgs: []string{"--appendfsync", "everysec"}, Extra: "durability: relaxed"}
	lies := powerOptions{Apart: true, Unpacked: true, Quiet: true, Before: lieAboutFolders}
	return []Scenario{
		{Name: "power-everysec", About: "control: power cuts with appendfsync everysec lose triggers", Run: powerCuts("ext4", 8, 8, everysec), LongOnly: true, Control: true,
			Short: Demand{Faults: 1, Triggers: 60}, Long: Demand{Faults: 1, Triggers: 60}},
		{Name: "power-no-sync-ext4", About: "control: power cuts without the fsync of folders bring older pages back, on ext4", Run: powerCuts("ext4", 8, 8, lies), LongOnly: true, Control: true,
			Short: Demand{Faults: 1, Triggers: 60}, Long: Demand{Faults: 1, Triggers: 60}},
		{Name: "power-no-sync-xfs", About: "the same on xfs", Run: powerCuts("xfs", 8, 8, lies), LongOnly: true, Control: true,
			Short: Demand{Faults: 1, Triggers: 60}, Long: Demand{Faults: 1, Triggers: 60}},
	}
}

// lieAboutFolders has every fsync of a folder of the output answer that all is
// well without doing anything. Files are fsynced as ever.
func lieAboutFolders(ctx context.Context, p *powerSite) error {
	var folders []string
	for _, path := range p.source.Paths() {
		folder := filepath.Join(p.disks[0].At, "public", path)
		folders = append(folders, folder, filepath.Dir(folder), filepath.Dir(filepath.Dir(folder)))
	}
	slices.Sort(folders)
	_, err := inject(ctx, p.lab, p.server, slices.Compact(folders), "inject=fsync:retval=0")
	return err
}
