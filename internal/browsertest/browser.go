package browsertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// names are what Chromium is called on the systems that we know.
var names = []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"}

func find() (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium on PATH. Install one (Debian: apt-get install chromium; macOS: brew install --cask chromium) and run this again")
}

// Browser is a headless Chromium with one tab.
type Browser struct {
	command *exec.Cmd
	to      *os.File
	from    *bufio.Reader
	ends    []*os.File
	session string
	last    int
}

// Start starts the Chromium that is on the PATH; it keeps its profile in a folder of its own
// and ends with ctx at the latest.
func Start(ctx context.Context, profile string) (*Browser, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirIn.Close(), ourOut.Close())
	}
	b := &Browser{to: ourOut, from: bufio.NewReader(ourIn), ends: []*os.File{ourOut, ourIn}}
	b.command = exec.CommandContext(ctx, path,
		"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-default-apps", "--disable-extensions", "--user-data-dir="+profile,
		"--remote-debugging-pipe", "about:blank")
	b.command.ExtraFiles = []*os.File{theirIn, theirOut} // the protocol's 3 and 4
	b.command.WaitDelay = 5 * time.Second
	err = b.command.Start()
	_ = errors.Join(theirIn.Close(), theirOut.Close())
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	if err := b.attach(); err != nil {
		b.Close()
		return nil, fmt.Errorf("speak with %s: %w", path, err)
	}
	return b, nil
}

// Close ends the browser.
func (b *Browser) Close() {
	if b.command.Process != nil {
		_, _ = b.call("Browser.close", nil)
	}
	for _, end := range b.ends {
		_ = end.Close()
	}
	if b.command.Process != nil {
		_ = b.command.Wait()
	}
}

// attach opens a tab of our own.
func (b *Browser) attach() error {
	target, err := b.call("Target.createTarget", map[string]any{"url": "about:blank"})
	if err != nil {
		return err
	}
	session, err := b.call("Target.attachToTarget", map[string]any{"targetId": target["targetId"], "flatten": true})
	if err != nil {
		return err
	}
	b.session, _ = session["sessionId"].(string)
	_, err = b.call("Page.enable", nil)
	return err
}

type frame struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    any             `json:"params,omitempty"`
	Result    map[string]any  `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
}

// call sends one command and reads until its answer.
func (b *Browser) call(method string, params any) (map[string]any, error) {
	b.last++
	out, err := json.Marshal(frame{ID: b.last, SessionID: b.session, Method: method, Params: params})
	if err != nil {
		return nil, err
	}
	if _, err := b.to.Write(append(out, 0)); err != nil {
		return nil, err
	}
	answer, err := b.read(func(f frame) bool { return f.ID == b.last })
	if err != nil {
		return nil, err
	}
	if answer.Error != nil {
		return nil, fmt.Errorf("%s: %s", method, answer.Error)
	}
	return answer.Result, nil
}

// read drops frames until one is wanted.
func (b *Browser) read(wanted func(frame) bool) (frame, error) {
	for {
		raw, err := b.from.ReadBytes(0)
		if err != nil {
			return frame{}, err
		}
		var f frame
		if err := json.Unmarshal(bytes.TrimSuffix(raw, []byte{0}), &f); err != nil {
			return frame{}, err
		}
		if wanted(f) {
			return f, nil
		}
	}
}
