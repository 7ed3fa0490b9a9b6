package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// kinds are the codes of the schema's words.
var kinds = map[string]string{
	"Invalid": "INVALID_ARGUMENT", "NotFound": "NOT_FOUND", "Exists": "ALREADY_EXISTS", "Conflict": "FAILED_PRECONDITION",
	"Unauthenticated": "UNAUTHENTICATED", "Denied": "PERMISSION_DENIED", "Exhausted": "RESOURCE_EXHAUSTED",
	"Unavailable": "UNAVAILABLE", "Unbuilt": "UNIMPLEMENTED", "Internal": "INTERNAL",
}

// promised reads the schema: the code of each reason.
func promised(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../api/dialtone/v1/errors.proto")
	must(t, err)
	pattern := regexp.MustCompile(`(?m)^  // ([A-Z_]+)\. (?:.*\n(?:  //.*\n)*)  ERROR_REASON_([A-Z_]+) = `)
	all := map[string]string{}
	for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
		all[m[2]] = m[1]
	}
	if len(all) != len(dialtonev1.ErrorReason_value)-1 {
		t.Fatalf("read %d reasons of %d", len(all), len(dialtonev1.ErrorReason_value)-1)
	}
	return all
}

// source parses the rooms that a refusal can come from.
func source(t *testing.T, visit func(room string, n ast.Node)) {
	t.Helper()
	for _, room := range []string{".", "../access", "../store", "../fault", "../mobile"} {
		files, err := filepath.Glob(room + "/*.go")
		must(t, err)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			must(t, err)
			ast.Inspect(file, func(n ast.Node) bool { visit(room, n); return true })
		}
	}
}

func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		s, _ := strconv.Unquote(l.Value)
		return s
	}
	return ""
}

// Every refusal of the door is in the schema, and every refusal that comes from below and is
// in the schema is answered under the code it is said to have. What comes from below and is
// not in the schema is for our own rooms: the door answers INTERNAL (TestOutward).
func TestReasons_AreTheSchemas(t *testing.T) {
	t.Parallel()
	want, seen := promised(t), map[string]bool{}
	source(t, func(room string, n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 3 || literal(call.Args[1]) == "" {
			return
		}
		selector, ok := call.Args[0].(*ast.SelectorExpr)
		if !ok || kinds[selector.Sel.Name] == "" {
			return
		}
		reason := literal(call.Args[1])
		seen[reason] = true
		switch code := want[reason]; {
		case code == "" && (room == "." || room == "../access"):
			t.Errorf("%s is not in the schema", reason)
		case code != "" && code != kinds[selector.Sel.Name]:
			t.Errorf("%s is answered as %s, and the schema says %s", reason, kinds[selector.Sel.Name], code)
		}
	})
	if len(seen) < 20 {
		t.Errorf("found only %v", seen)
	}
	if !strings.HasPrefix(want["INTERNAL"], "INTERNAL") {
		t.Error("the schema lost INTERNAL")
	}
}

// Every reason of a bad field is of a family that the schema names, or is named at a field.
func TestFieldReasons_AreTheSchemas(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	files, err := filepath.Glob("../../api/dialtone/v1/*.proto")
	must(t, err)
	for _, name := range files {
		file, err := os.ReadFile(name)
		must(t, err)
		text.Write(file)
	}
	family := regexp.MustCompile(`^(FIELD|EMAIL|IMEI|NUMBER|ZIP|DONOR|PLAN)_[A-Z0-9_]+$`)
	found := 0
	check := func(reason string) {
		if reason == "" || strings.ToUpper(reason) != reason {
			return
		}
		found++
		if !family.MatchString(reason) && !strings.Contains(text.String(), reason) {
			t.Errorf("the schema does not know %s", reason)
		}
	}
	source(t, func(_ string, n ast.Node) {
		switch n := n.(type) {
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "refuse" && len(n.Args) == 3 {
				check(literal(n.Args[1]))
			}
		case *ast.CompositeLit:
			if id, ok := n.Type.(*ast.Ident); ok && id.Name == "Refusal" && len(n.Elts) == 2 {
				check(literal(n.Elts[0]))
			}
		}
	})
	if found < 30 {
		t.Errorf("found only %d reasons", found)
	}
}
