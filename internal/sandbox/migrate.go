package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

const adminTokenPrefix = "admin token: "

// migrate runs cmd/migrate, which makes the schema, Temporal's namespace and, the first time,
// the token that everything else is made with.
func migrate(ctx context.Context, s settings, w *watchdog) error {
	if s.state.AdminToken == "" {
		if err := forgetLostTokens(ctx, s.postgres); err != nil {
			return err
		}
	}
	said, err := runToEnd(ctx, w, s.config.binary(migrateName), s.migrateEnv())
	var kept []string
	for line := range strings.Lines(said) {
		if token, found := strings.CutPrefix(line, adminTokenPrefix); found {
			s.state.AdminToken = strings.TrimSpace(token)
			continue
		}
		kept = append(kept, line)
	}
	log := filepath.Join(s.config.logDir(), migrateName+".log")
	err = errors.Join(err, os.WriteFile(log, []byte(strings.Join(kept, "")), 0o600), s.state.save())
	switch {
	case err != nil:
		return fmt.Errorf("migrate: %w: %s", err, strings.TrimSpace(strings.Join(kept, " ")))
	case s.state.AdminToken == "":
		return errors.New("migrate made no admin token, and none is kept here: --fresh begins anew")
	}
	return nil
}

func (s settings) migrateEnv() []string {
	return append(s.temporalEnv(),
		"LOG_FORMAT=text",
		"DATABASE_MIGRATE_URL="+s.postgres.adminURL(databaseName),
		"DATABASE_URL="+s.postgres.appURL(s.state.DatabasePassword),
	)
}

// forgetLostTokens is for a sandbox that was killed after the first token was made and before
// it was kept.
func forgetLostTokens(ctx context.Context, p *postgres) error {
	return p.withConnection(ctx, databaseName, func(conn *pgx.Conn) error {
		var there bool
		if err := conn.QueryRow(ctx, `SELECT to_regclass('public.tokens') IS NOT NULL`).Scan(&there); err != nil || !there {
			return err
		}
		_, err := conn.Exec(ctx, `DELETE FROM tokens WHERE principal = 'ADMIN'`)
		return err
	})
}

// runToEnd runs a program in a group of its own and gives what it said on both outputs.
func runToEnd(ctx context.Context, w *watchdog, path string, env []string, args ...string) (string, error) {
	cmd := exec.Command(path, args...)
	cmd.Env = env
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := runWatched(ctx, w, cmd)
	return said.String(), err
}

// runWatched runs a command to its end, or kills it and what it started when ctx ends.
func runWatched(ctx context.Context, w *watchdog, cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	group := cmd.Process.Pid
	w.watch(group)
	defer w.forget(group)
	var ended error
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended = cmd.Wait()
	}()
	select {
	case <-done:
		return ended
	case <-ctx.Done():
		_ = syscall.Kill(-group, syscall.SIGKILL) // it may have ended already
		<-done
		return context.Cause(ctx)
	}
}
