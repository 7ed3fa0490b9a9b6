package partnertest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/partnertest"
)

func openJournal(t *testing.T, path string) *partnertest.Journal {
	t.Helper()
	journal, err := partnertest.OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = journal.Close() })
	return journal
}

func mustAppend(t *testing.T, journal *partnertest.Journal, e partnertest.Entry) partnertest.Entry {
	t.Helper()
	kept, err := journal.Append(e)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func TestJournal(t *testing.T) {
	t.Parallel()

	t.Run("ReplaysWhatItHeldWhenOpenedAgain", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "deep", "carrier.jsonl")
		journal := openJournal(t, path)
		at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.FixedZone("far", 3600))

		first := mustAppend(t, journal, partnertest.Entry{
			At: at, Partner: "carrier", Act: "activate_line", Key: "k", Reference: "r",
			Data: map[string]any{"zip": "10001", "n": 1, "line": map[string]string{"state": "ACTIVE"}},
		})
		second := mustAppend(t, journal, partnertest.Entry{Partner: "carrier", Act: "other"})

		want := []partnertest.Entry{first, second}
		if diff := cmp.Diff(want, journal.Entries()); diff != "" {
			t.Errorf("live entries differ (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, openJournal(t, path).Entries()); diff != "" {
			t.Errorf("replayed entries differ (-want +got):\n%s", diff)
		}
		if first.Seq != 1 || second.Seq != 2 || !first.At.Equal(at) || second.At.IsZero() {
			t.Errorf("first %+v, second %+v", first, second)
		}
	})

	t.Run("DropsATornLastLineAndGoesOn", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "j.jsonl")
		mustAppend(t, openJournal(t, path), partnertest.Entry{Act: "kept"})
		appendRaw(t, path, `{"seq":2,"act":"to`)

		journal := openJournal(t, path)
		mustAppend(t, journal, partnertest.Entry{Act: "next"})

		entries, err := partnertest.ReadJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 2 || entries[1].Act != "next" || entries[1].Seq != 2 {
			t.Errorf("entries = %+v", entries)
		}
	})

	t.Run("RefusesADamagedMiddle", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "j.jsonl")
		appendRaw(t, path, "{\"seq\":1}\nnonsense\n{\"seq\":3}\n")

		if _, err := partnertest.OpenJournal(path); err == nil {
			t.Error("OpenJournal took a damaged file")
		}
	})

	t.Run("NumbersConcurrentEntriesWithoutGaps", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "j.jsonl")
		journal := openJournal(t, path)

		var group sync.WaitGroup
		for n := range 20 {
			group.Go(func() { _, _ = journal.Append(partnertest.Entry{Act: fmt.Sprint(n)}) })
		}
		group.Wait()

		entries, err := partnertest.ReadJournal(path)
		if err != nil || len(entries) != 20 {
			t.Fatalf("%d entries, error %v", len(entries), err)
		}
		for i, e := range entries {
			if e.Seq != int64(i+1) {
				t.Errorf("entry %d has seq %d", i, e.Seq)
			}
		}
	})

	t.Run("RefusesToWriteOnceClosed", func(t *testing.T) {
		t.Parallel()
		journal := openJournal(t, filepath.Join(t.TempDir(), "j.jsonl"))
		if err := journal.Close(); err != nil {
			t.Fatal(err)
		}

		if _, err := journal.Append(partnertest.Entry{Act: "late"}); err == nil {
			t.Error("Append succeeded on a closed journal")
		}
	})
}

func TestFactsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	type facts struct {
		Zip   string   `json:"zip"`
		Count int      `json:"count"`
		Tags  []string `json:"tags"`
	}
	want := facts{Zip: "00501", Count: 3, Tags: []string{"a", "b"}}
	path := filepath.Join(t.TempDir(), "j.jsonl")
	mustAppend(t, openJournal(t, path), partnertest.Entry{Act: "a", Data: partnertest.Facts(want)})

	var got facts
	if err := openJournal(t, path).Entries()[0].Into(&got); err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts differ (-want +got):\n%s", diff)
	}
}

func TestJournalWait(t *testing.T) {
	t.Parallel()

	t.Run("ReturnsWithTheEntryThatIsEnough", func(t *testing.T) {
		t.Parallel()
		journal := openJournal(t, filepath.Join(t.TempDir(), "j.jsonl"))
		asked := make(chan struct{}, 3)
		go func() {
			<-asked
			_, _ = journal.Append(partnertest.Entry{Act: "a"})
			<-asked
			_, _ = journal.Append(partnertest.Entry{Act: "b"})
		}()

		entries, err := journal.Wait(t.Context(), func(entries []partnertest.Entry) bool {
			asked <- struct{}{}
			return len(entries) == 2
		})
		if err != nil || len(entries) != 2 {
			t.Errorf("%d entries, error %v", len(entries), err)
		}
	})

	t.Run("GivesUpWithTheContext", func(t *testing.T) {
		t.Parallel()
		journal := openJournal(t, filepath.Join(t.TempDir(), "j.jsonl"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()

		if _, err := journal.Wait(ctx, func([]partnertest.Entry) bool { return false }); err == nil {
			t.Error("Wait returned no error")
		}
	})
}

func appendRaw(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}
