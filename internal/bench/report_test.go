package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReport_Table(t *testing.T) {
	t.Parallel()
	r := report{
		Machine: machine{
			Cores: 2, CPU: "Good One", System: "linux/amd64", Go: "go1.26.8",
			Postgres: "15.18", Fsync: "on", SynchronousCommit: "on", Load: "0.10",
		},
		Rows: []row{
			{
				What: "launches", Ours: figures{Samples: 100, PerSecond: 240.4, P50: 4.2, P99: 12.34},
				Bare: "one INSERT", Floor: figures{Samples: 100, PerSecond: 1202, P50: 1.05, P99: 3},
			},
			{
				What: "answer → begun", Ours: figures{Samples: 40, P50: 17.7, P99: 155},
				Bare: "a start", Floor: figures{Samples: 40, P50: 15, P99: 88.8},
			},
		},
		TookSeconds: 104.4,
	}

	var out strings.Builder
	if err := r.table(&out); err != nil {
		t.Fatal(err)
	}

	want := `2 cores (Good One), linux/amd64, go1.26.8, Postgres 15.18 with fsync on and synchronous_commit on; load before the run 0.10.

| what           |   n | per s | p50 ms | p99 ms | floor      |   n | per s | p50 ms | p99 ms | rate ÷ floor | p50 ÷ floor |
|----------------|----:|------:|-------:|-------:|------------|----:|------:|-------:|-------:|-------------:|------------:|
| launches       | 100 |   240 |   4.20 |   12.3 | one INSERT | 100 |  1202 |   1.05 |   3.00 |         0.20 |        4.00 |
| answer → begun |  40 |     – |   17.7 |    155 | a start    |  40 |     – |   15.0 |   88.8 |            – |        1.18 |

The run took 104 s. Percentiles are nearest ranks.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
