// Command bench times this library beside the check that a programmer would
// write by hand and beside the field's policy engines, on the same policies
// and calls, and prints the ratios. All engines must give the same answers.
//
//	go run .                 the whole table
//	go run . -short          a quick look
//	go run . -check          exit with 1 where a bar of the project is missed
//
// Engines take turns in short rounds, and the middle round counts, so that a
// noisy machine disturbs all of them alike. Compare ratios, not times.
package main

import (
	"flag"
	"fmt"
	"os"
	"text/tabwriter"
)

func main() {
	short := flag.Bool("short", false, "few rounds and small sizes, to see that everything runs")
	check := flag.Bool("check", false, "exit with 1 where a bar is missed")
	only := flag.String("only", "", "one table: engines, heavy, scale, contention, limits or scorecard")
	flag.Parse()
	b := &bench{out: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight), rounds: 15}
	if *short {
		b.rounds = 3
	}
	table := func(name string, f func()) {
		if *only == "" || *only == name {
			f()
		}
	}
	table("engines", b.engines)
	table("heavy", b.heavy)
	table("scale", func() { b.scale(*short) })
	table("contention", b.contention)
	table("limits", b.limits)
	table("scorecard", b.scorecard)
	if len(b.missed) > 0 {
		fmt.Println("\nMissed:")
		for _, m := range b.missed {
			fmt.Println("  " + m)
		}
		if *check {
			os.Exit(1)
		}
	}
}
