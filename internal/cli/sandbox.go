package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// sandboxName is the file that a running sandbox writes into its checkout.
var sandboxName = filepath.Join(".local", "sandbox.json")

// sandbox is what that file says, as far as it matters here.
type sandbox struct {
	path string
	// GRPC is the server's address.
	GRPC string `json:"grpc"`
	// Token is BILLING's, OperatorToken OPERATOR's, PortalBackendToken PORTAL_BACKEND's,
	// AdminToken ADMIN's.
	Token              string `json:"token"`
	OperatorToken      string `json:"operator_token"`
	PortalBackendToken string `json:"portal_backend_token"`
	AdminToken         string `json:"admin_token"`
	// Tenant is the one that all but AdminToken belong to.
	Tenant string `json:"tenant"`
}

// findSandbox looks in dir and its parents; no sandbox is no error. A file that others
// may read or change is refused, and so is one that names another machine: the file may
// lie in a directory that somebody else can write to, and must not be a way to have our
// token sent to them.
func findSandbox(dir string) (*sandbox, error) {
	for {
		path := filepath.Join(dir, sandboxName)
		found, err := readSandbox(path)
		if err == nil {
			return found, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil, nil
		}
		dir = parent
	}
}

func readSandbox(path string) (*sandbox, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("look for a sandbox: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, &exitError{
			code: exitFailed,
			text: fmt.Sprintf("%s holds tokens, and others may read it (mode %04o)", path, info.Mode().Perm()),
			next: []string{"chmod 600 " + path},
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the sandbox's file: %w", err)
	}
	found := &sandbox{path: path}
	if err := json.Unmarshal(data, found); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if !onThisMachine(found.GRPC) {
		return nil, &exitError{
			code: exitFailed,
			text: fmt.Sprintf("%s names a server on another machine (%q), which no sandbox does", path, found.GRPC),
			next: []string{"to call that server, set DIALTONE_ADDRESS and DIALTONE_TOKEN"},
		}
	}
	return found, nil
}
