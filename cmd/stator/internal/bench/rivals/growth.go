package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// The two tables whose figures must not differ much.
const (
	smallTable = 10_000
	largeTable = 10_000_000
)

// measureGrowth measures Stator with few items and with many, in turns.
func measureGrowth(ctx context.Context, o options) (text string, err error) {
	o.workloads = []string{"put", "get", "query10"}
	sizes := []int64{smallTable, largeTable}
	all, err := contenders(ctx, o)
	if err != nil {
		return "", err
	}
	stator := all[0]
	all = nil
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.stop(ctx))
		}
	}()
	for _, items := range sizes {
		o.items = items
		c := &contender{name: fmt.Sprintf("%d items", items), durability: stator.durability, command: stator.command}
		all = append(all, c)
		if err := c.start(ctx, o); err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
	}
	// What was loaded is compacted in the background, which is not what is measured.
	if err := wait(ctx, settleTime); err != nil {
		return "", err
	}
	if err := takeTurns(ctx, all, o); err != nil {
		return "", err
	}
	f, err := figuresOf(all)
	if err != nil {
		return "", err
	}
	var rows []targetRow
	for _, workload := range o.workloads {
		rows = append(rows, growthRow(f, all[0], all[1], workload, o.connections))
	}
	o.items = largeTable
	return fmt.Sprintf("%s. The table of %d items alike.\n%s.\n\n%s\n%s", o.plan(), smallTable, bench.ThisMachine(), targetTable(rows), growthMemory(all)), nil
}

func growthRow(f figures, small, large *contender, workload string, connections int) targetRow {
	few, _ := f.at(small, workload, connections)
	many, _ := f.at(large, workload, connections)
	return targetRow{
		what: fmt.Sprintf("%s with %d items vs with %d", workload, largeTable, smallTable), goal: "≥ 75 %",
		measured: fmt.Sprintf("%s (%.0f/s and %.0f/s)", ratio(many, few), many.PerSecond, few.PerSecond),
		outcome:  outcomeOf(many.PerSecond >= 0.75*few.PerSecond),
	}
}

func growthMemory(all []*contender) string {
	var parts []string
	for _, c := range all {
		parts = append(parts, fmt.Sprintf("%s with %s", c.server.Memory(), c.name))
	}
	return "Memory after the run, resident (anonymous): " + strings.Join(parts, ", ") + ".\n"
}
