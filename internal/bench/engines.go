package main

import "os"

func allEngines(s size) []engine {
	return []engine{
		handEngine(s), vetoEngine(s), celEngine(s), cedarEngine(s), opaEngine(s), casbinEngine(s),
	}
}

// engines prints the table of engines by size.
func (b *bench) engines() {
	b.title(os.Stdout, "One decision, with its id, time and reason (records discarded); × is the ratio to hand-written")
	b.row("agents×tools\tengine\tallow ns\t×\tdeny ns\t×\tallocs")
	for _, s := range sizes {
		engines := allEngines(s)
		allow, deny := s.allowed(), s.denied()
		var fs []func()
		for _, e := range engines {
			if !e.decide(&allow) || e.decide(&deny) {
				panic(e.name + " gives a wrong answer")
			}
			fs = append(fs, func() { e.decide(&allow) }, func() { e.decide(&deny) })
		}
		ns := times(b.rounds, fs...)
		at := map[string][2]float64{}
		for i, e := range engines {
			at[e.name] = [2]float64{ns[2*i], ns[2*i+1]}
			n := allocs(fs[2*i]) + allocs(fs[2*i+1])
			b.row("%v\t%s\t%.0f\t%.2f\t%.0f\t%.2f\t%.0f", s, e.name, ns[2*i], ns[2*i]/ns[0], ns[2*i+1], ns[2*i+1]/ns[1], n)
			if e.name == "veto" {
				b.bar(n == 0, "%v: %v allocations", s, n)
			}
		}
		ours := at["veto"]
		for i, path := range []string{"allow", "deny"} {
			b.bar(ours[i] <= 2*at["hand-written"][i], "%v %s: %.2f× hand-written, want 2", s, path, ours[i]/at["hand-written"][i])
			b.bar(ours[i] < at["cel-go"][i], "%v %s: slower than cel-go", s, path)
			want := map[size]float64{{1, 10}: 10, {10, 100}: 100}[s]
			b.bar(at["cedar-go"][i] >= want*ours[i], "%v %s: cedar-go is %.1f× ours, want %.0f", s, path, at["cedar-go"][i]/ours[i], want)
		}
	}
	b.out.Flush()
}
