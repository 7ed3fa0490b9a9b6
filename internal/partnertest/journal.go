package partnertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Entry is one thing that a pretend partner did.
type Entry struct {
	// Seq counts the entries of a journal from 1, without gaps.
	Seq int64 `json:"seq"`
	// At is when it was done, in UTC.
	At time.Time `json:"at"`
	// Partner is who did it: "carrier", "smdp+", "sendgrid".
	Partner string `json:"partner"`
	// Act is what was done: "activate_line", "confirm_order", "mail_accepted".
	Act string `json:"act"`
	// Key is the caller's idempotency key or call id, empty when there was none.
	Key string `json:"key,omitempty"`
	// Reference is the caller's own name for the thing, such as our external id.
	Reference string `json:"reference,omitempty"`
	// Data are the facts of the act. Numbers are read back as float64, in a running
	// partner as in a restarted one.
	Data map[string]any `json:"data,omitempty"`
}

// Journal is an append-only file of JSON lines. An entry is on disk when Append returns. A
// Journal is safe for concurrent use; two processes must not write the same file.
type Journal struct {
	mu      sync.Mutex
	file    *os.File
	path    string
	size    int64
	entries []Entry
	grown   chan struct{} // closed and replaced by each Append
	broken  error         // set by a write that could not be undone
}

// OpenJournal opens the file at path, with its folders, and makes it when it is not there.
// A last line that was torn by a kill is dropped; any other line that cannot be read is an
// error, because a partner must not forget what it did.
func OpenJournal(path string) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make journal folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	entries, size, err := replay(file)
	if err == nil {
		err = errors.Join(file.Truncate(size), file.Sync(), syncDir(filepath.Dir(path)))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open journal %s: %w", path, err), file.Close())
	}
	return &Journal{file: file, path: path, size: size, entries: entries, grown: make(chan struct{})}, nil
}

// ReadJournal reads the entries of the file at path, which a partner may be writing at the
// same time. A torn last line is left out; a file that is not there is an error.
func ReadJournal(path string) ([]Entry, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	defer file.Close()
	entries, _, err := replay(file)
	if err != nil {
		return nil, fmt.Errorf("read journal %s: %w", path, err)
	}
	return entries, nil
}

// replay reads whole lines and says how many bytes they take.
func replay(r io.Reader) ([]Entry, int64, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, err
	}
	var entries []Entry
	var size int64
	for rest := content; ; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			return entries, size, nil
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			if len(after) == 0 {
				return entries, size, nil
			}
			return nil, 0, fmt.Errorf("line %d: %w", len(entries)+1, err)
		}
		entries = append(entries, e)
		size += int64(len(line)) + 1
		rest = after
	}
}

// Append writes e down and returns it as it stands in the file: with the next Seq, and with
// At set to now when it was zero. When it returns an error nothing was written, and the
// caller must not answer as though it had acted.
func (j *Journal) Append(e Entry) (Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return Entry{}, j.broken
	}
	e.Seq = int64(len(j.entries)) + 1
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.At = e.At.UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return Entry{}, fmt.Errorf("append to journal: %w", err)
	}
	var kept Entry // what a restarted partner would read, so that both see the same
	if err := json.Unmarshal(line, &kept); err != nil {
		return Entry{}, fmt.Errorf("append to journal: %w", err)
	}
	if err := j.write(append(line, '\n')); err != nil {
		return Entry{}, err
	}
	j.entries = append(j.entries, kept)
	close(j.grown)
	j.grown = make(chan struct{})
	return kept, nil
}

// write puts one line on disk, or leaves the file as it was.
func (j *Journal) write(line []byte) error {
	_, err := j.file.Write(line)
	if err == nil {
		err = j.file.Sync()
	}
	if err == nil {
		j.size += int64(len(line))
		return nil
	}
	err = fmt.Errorf("append to journal: %w", err)
	if undo := j.file.Truncate(j.size); undo != nil {
		j.broken = errors.Join(err, undo)
	}
	return err
}

// Entries returns all entries, oldest first. The caller must not change them.
func (j *Journal) Entries() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[:len(j.entries):len(j.entries)]
}

// Wait returns the entries as soon as enough says yes to them. It asks at once and after
// each Append, and gives up with the context's error.
func (j *Journal) Wait(ctx context.Context, enough func([]Entry) bool) ([]Entry, error) {
	for {
		j.mu.Lock()
		entries, grown := j.entries[:len(j.entries):len(j.entries)], j.grown
		j.mu.Unlock()
		if enough(entries) {
			return entries, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the journal: %w", ctx.Err())
		}
	}
}

// Path is the journal's file.
func (j *Journal) Path() string { return j.path }

// Close closes the file. Append fails afterwards; what was written can still be read.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken == nil {
		j.broken = errors.New("append to journal: it is closed")
	}
	return j.file.Close()
}

// syncDir makes the name of a new file outlive a power cut.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Facts turns a struct with json tags into an entry's Data. It panics when v has no JSON
// form or is not an object, which is a bug of the pretend partner.
func Facts(v any) map[string]any {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("partnertest: facts of %T: %v", v, err))
	}
	var facts map[string]any
	if err := json.Unmarshal(text, &facts); err != nil {
		panic(fmt.Sprintf("partnertest: facts of %T: %v", v, err))
	}
	return facts
}

// Into reads Data back into the struct that Facts was given.
func (e Entry) Into(v any) error {
	text, err := json.Marshal(e.Data)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return fmt.Errorf("read journal entry %d: %w", e.Seq, err)
	}
	return nil
}
