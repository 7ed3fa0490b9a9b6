package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5" //nolint:depguard // Postgres says what it is.
)

// machine is what the figures depend on.
type machine struct {
	Cores    int    `json:"cores"`
	CPU      string `json:"cpu"`
	System   string `json:"system"`
	Go       string `json:"go"`
	Postgres string `json:"postgres"`
	// Fsync and SynchronousCommit are on, or nothing is measured.
	Fsync             string `json:"fsync"`
	SynchronousCommit string `json:"synchronous_commit"`
	// Load is how busy the machine was just before: the average of a minute.
	Load string `json:"load_before"`
}

// String is one line for people.
func (m machine) String() string {
	text := fmt.Sprintf("%d cores (%s), %s, %s, Postgres %s with fsync %s and synchronous_commit %s",
		m.Cores, m.CPU, m.System, m.Go, m.Postgres, m.Fsync, m.SynchronousCommit)
	if m.Load != "" {
		text += "; load before the run " + m.Load
	}
	return text + "."
}

// errNotDurable refuses to measure what would not outlive a power cut.
var errNotDurable = errors.New("this Postgres does not sync its commits: the figures would be of no use")

// lookAround finds out where the bench runs.
func (s *stand) lookAround(ctx context.Context) error {
	m := machine{
		Cores: runtime.NumCPU(), CPU: cpu(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Load: loadAverage(),
	}
	conn, err := pgx.Connect(ctx, s.scratch)
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = conn.QueryRow(ctx, `
		SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')`,
	).Scan(&m.Postgres, &m.Fsync, &m.SynchronousCommit)
	if err != nil {
		return fmt.Errorf("ask Postgres what it is: %w", err)
	}
	if m.Fsync != "on" || m.SynchronousCommit != "on" {
		return errNotDurable
	}
	s.machine = m
	return nil
}

// cpu names the processor where the system tells it in a file.
func cpu() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // elsewhere there is none
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// loadAverage is that of the last minute, where the system tells it in a file.
func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg") // elsewhere there is none
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
