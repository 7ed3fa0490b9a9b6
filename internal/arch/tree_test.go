package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/dialtone/dialtone/"

// room is a package of ours, without its tests.
type room struct {
	// path is where it is in the tree: "internal/store/storetest".
	path  string
	files []file
}

type file struct {
	name    string
	syntax  *ast.File
	imports []string
}

// readTree asks go list, which knows what belongs to the module and to this system.
func readTree(t *testing.T) []room {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Dir,GoFiles", "./...")
	list.Dir = filepath.Join("..", "..")
	said, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var rooms []room
	for decoder := json.NewDecoder(bytes.NewReader(said)); ; {
		var listed struct {
			ImportPath, Dir string
			GoFiles         []string
		}
		err := decoder.Decode(&listed)
		if errors.Is(err, io.EOF) {
			return rooms
		}
		if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		r := room{path: strings.TrimPrefix(listed.ImportPath, module)}
		for _, name := range listed.GoFiles {
			r.files = append(r.files, parse(t, filepath.Join(listed.Dir, name), nil))
		}
		rooms = append(rooms, r)
	}
}

// parse reads a file, from source if that is not nil.
func parse(t *testing.T, name string, source any) file {
	t.Helper()
	syntax, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("parse %s: %v", name, err)
	}
	f := file{name: filepath.Base(name), syntax: syntax}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("imports of %s: %v", name, err)
		}
		f.imports = append(f.imports, imported)
	}
	return f
}

// ours lists the rooms that a room imports.
func (r room) ours() []string {
	var rooms []string
	for _, f := range r.files {
		for _, imported := range f.imports {
			if ours, ok := strings.CutPrefix(imported, module); ok && !slices.Contains(rooms, ours) {
				rooms = append(rooms, ours)
			}
		}
	}
	return rooms
}

// uses says where a file uses name.word of an imported package, as in os.Getenv.
func (f file) uses(imported, word string) bool {
	local := f.localName(imported)
	if local == "" {
		return false
	}
	found := false
	ast.Inspect(f.syntax, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if ok && selector.Sel.Name == word {
			name, ok := selector.X.(*ast.Ident)
			found = found || ok && name.Name == local
		}
		return !found
	})
	return found
}

// localName is what a file calls a package, "" when it does not import it.
func (f file) localName(imported string) string {
	for i, spec := range f.syntax.Imports {
		switch {
		case f.imports[i] != imported:
		case spec.Name != nil:
			return spec.Name.Name
		default:
			return strings.TrimPrefix(path.Base(imported), "go-") // envconfig lives in go-envconfig
		}
	}
	return ""
}

// within says that a path is the folder or lies below it.
func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

// withinAny says so for one of several.
func withinAny(p string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return within(p, folder) })
}

// violation is one broken rule, with its remedy.
type violation struct{ where, what, remedy string }

// String is the line that a failing test shows.
func (v violation) String() string { return fmt.Sprintf("%s %s: %s", v.where, v.what, v.remedy) }
