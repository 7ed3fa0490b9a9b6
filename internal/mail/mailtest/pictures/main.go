// Command pictures draws the mails and the inbox in a headless Chromium, so that people can
// look at what customers get:
//
//	go run ./internal/mail/mailtest/pictures [-out .local/pictures] [-documents deploy/pictures]
//
// It draws each mail 320 and 700 pixels wide, light and dark, and those that have images also without. With
// -documents it also draws the two pictures that documents show.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/dialtone/dialtone/internal/browsertest"
)

// limit bounds the whole run: a browser that hangs must not.
const limit = 2 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("pictures", flag.ContinueOnError)
	folder := flags.String("out", filepath.Join(".local", "pictures"), "the folder for the pictures")
	documents := flags.String("documents", "", "the folder for the documents' pictures; empty draws none")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, f := range []string{*folder, *documents} {
		if err := os.MkdirAll(cmp.Or(f, "."), 0o755); err != nil {
			return err
		}
	}
	work, err := os.MkdirTemp("", "dialtone-pictures-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	scenes, shut, err := stage(ctx, work)
	if err != nil {
		return err
	}
	defer shut()
	browser, err := browsertest.Start(ctx, filepath.Join(work, "profile"))
	if err != nil {
		return err
	}
	defer browser.Close()
	for _, s := range album(scenes, *folder, *documents) {
		png, err := browser.Shoot(s.Shot)
		if err == nil {
			err = os.WriteFile(s.path, png, 0o644)
		}
		if err != nil {
			return fmt.Errorf("draw %s: %w", s.path, err)
		}
		_, _ = fmt.Fprintln(out, s.path)
	}
	return nil
}

// page is a shot and where it goes.
type page struct {
	browsertest.Shot
	path string
}

func album(scenes []scene, folder, documents string) []page {
	var pages []page
	for _, s := range scenes {
		for _, width := range []int{320, 700} {
			for _, scheme := range []string{"light", "dark"} {
				name := fmt.Sprintf("%s-%d-%s.png", s.name, width, scheme)
				pages = append(pages, page{browsertest.Shot{URL: s.url, Width: width, Scheme: scheme}, filepath.Join(folder, name)})
			}
		}
		if s.name == "mail-new-line" && documents != "" {
			pages = append(pages,
				page{browsertest.Shot{URL: s.url, Width: 600, Scheme: "light", Until: "img"}, filepath.Join(documents, "mail.png")},
				page{browsertest.Shot{URL: s.url, Width: 320, Scheme: "dark", Until: "img"}, filepath.Join(documents, "mail-dark-phone.png")})
		}
	}
	return pages
}
