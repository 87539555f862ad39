package ledger

import (
	"context"

	"rebake/storage"
)

// MissState says what became of a visitor's wish for a page without a file.
type MissState string

// The answers to a miss.
const (
	MissOwed      MissState = "owed"      // a run will tell; wait for the receipt's id
	MissPublished MissState = "published" // the ledger says that the file is there
	MissGone      MissState = "gone"      // it was removed
	MissFailed    MissState = "failed"    // a render has failed, and more visitors do not help
)

// Miss records that a visitor asks for a page that has no file. Unlike a
// trigger it is owed to nobody: when its render fails, or finds no such page,
// nothing is left of it, unless a run that died may have written its file.
func (l *Ledger) Miss(ctx context.Context, p storage.Path, reason string) (MissState, Receipt, error) {
	return l.miss(ctx, p, reason, l.nonce())
}

func (l *Ledger) miss(ctx context.Context, p storage.Path, reason, nonce string) (MissState, Receipt, error) {
	r, err := l.run(ctx, l.scripts.miss, p, int(Default), nonce, reason, ms(l.cfg.MaxRun))
	if err != nil {
		return "", Receipt{}, err
	}
	switch state := MissState(r.text(0)); state {
	case MissPublished, MissGone, MissFailed:
		return state, Receipt{}, nil
	}
	rec, err := receipt(r, p)
	return MissOwed, rec, err
}
