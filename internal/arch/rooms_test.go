package arch

import (
	"path"
	"slices"
	"strings"
)

// mayImport is the map: for each room, which rooms it may import. A room stands for what is
// below it too. Test rooms are apart: see isTestRoom.
func mayImport() map[string][]string {
	floor := []string{"internal/mobile", "internal/fault"}
	leaf := append([]string{"internal/wire", "internal/secret"}, floor...)
	partners := []string{"internal/carrier", "internal/esim", "internal/mail"}
	acts := slices.Concat([]string{"internal/store", "internal/crash"}, partners, leaf)
	decisions := slices.Concat([]string{"activities", "internal/store"}, partners, floor)
	door := slices.Concat([]string{"workflows", "internal/access", "internal/telemetry"}, acts, decisions)
	contract := []string{"api/gen"}
	return map[string][]string{
		"internal/fault":     {},
		"internal/crash":     {},
		"internal/mobile":    {"internal/fault"},
		"internal/wire":      floor,
		"internal/store":     floor,
		"internal/carrier":   leaf,
		"internal/esim":      leaf,
		"internal/mail":      leaf,
		"activities":         acts,
		"workflows":          decisions,
		"internal/access":    slices.Concat([]string{"internal/store", "internal/secret"}, floor, contract),
		"internal/server":    slices.Concat(door, contract),
		"internal/webhook":   door,
		"internal/relay":     door,
		"internal/cli":       contract,
		"internal/console":   contract,
		"internal/secret":    {},
		"internal/config":    {"internal/secret"},
		"internal/telemetry": {"internal/secret"},
		"internal/sandbox":   {"internal", "api", "workflows", "activities"},
		"internal/bench":     {"internal", "api"},
		"internal/arch":      {},
		"api":                {"api"},
		"deploy/examples":    contract,
		"cmd":                {"internal", "api", "workflows", "activities"},
	}
}

// isTestRoom knows the rooms that are for tests by their names: storetest, carriertest,
// carrierconformance, and what is below them.
func isTestRoom(p string) bool {
	return slices.ContainsFunc(strings.Split(p, "/"), func(name string) bool {
		return strings.HasSuffix(name, "test") || strings.HasSuffix(name, "conformance")
	})
}

// mayLinkTests lists who, beside tests and test rooms, may import a test room.
func mayLinkTests() []string { return []string{"cmd/partners", "internal/sandbox", "internal/bench"} }

// production lists the binaries that an operator installs.
func production() []string {
	return []string{"cmd/server", "cmd/worker", "cmd/migrate", "cmd/dialtone", "cmd/console"}
}

// testTools are packages of others that only tests need.
func testTools() []string {
	return []string{
		"testing", "net/http/httptest", "github.com/google/go-cmp", "pgregory.net/rapid",
		"go.uber.org/goleak", "github.com/stretchr/testify", "github.com/rogpeppe/go-internal",
	}
}

// checkArrows holds the map.
func checkArrows(rooms []room) []violation {
	var found []violation
	for _, r := range rooms {
		if len(r.files) == 0 { // tests alone
			continue
		}
		place, known := placeOf(r.path)
		if !known {
			found = append(found, violation{r.path, "is not on the map", "give it a place in mayImport, as low as it can be"})
			continue
		}
		for _, imported := range r.ours() {
			if v, bad := checkArrow(r.path, place, imported); bad {
				found = append(found, v)
			}
		}
	}
	return found
}

func checkArrow(from, place, to string) (violation, bool) {
	what := "imports " + to
	switch {
	case isTestRoom(to):
		return violation{from, what, "only _test.go files, test rooms, cmd/partners, internal/sandbox and internal/bench link a test room; move what is needed to a room of the product"},
			!isTestRoom(from) && !withinAny(from, mayLinkTests())
	case within(to, "cmd"):
		return violation{from, what, "nothing imports a command; move what is needed to a room"}, true
	case within(to, "internal/sandbox"):
		return violation{from, what, "only cmd/sandbox and internal/bench do"},
			!withinAny(from, []string{"cmd/sandbox", "internal/sandbox", "internal/bench"})
	case isTestRoom(from) || within(to, place):
		return violation{}, false
	}
	allowed := mayImport()[place]
	remedy := "its arrows go to no other room; let it declare what it needs as an interface, or return it to its caller"
	if len(allowed) > 0 {
		remedy = "its arrows go to " + strings.Join(unique(allowed), ", ") + "; declare what it needs as an interface, or let the caller pass it"
	}
	return violation{from, what, remedy}, !withinAny(to, allowed)
}

// placeOf finds the room on the map that a package belongs to.
func placeOf(p string) (string, bool) {
	for place := p; place != "."; place = path.Dir(place) {
		if _, ok := mayImport()[place]; ok {
			return place, true
		}
	}
	return "", isTestRoom(p)
}

// checkProduction follows the arrows from each installed binary and looks for what only
// tests need. Packages of others are not followed: Temporal's SDK links its test suite.
func checkProduction(rooms []room) []violation {
	byPath := map[string]room{}
	for _, r := range rooms {
		byPath[r.path] = r
	}
	var found []violation
	for _, binary := range production() {
		for _, linked := range reach(byPath, binary) {
			if isTestRoom(linked) || within(linked, "internal/sandbox") {
				found = append(found, violation{binary, "links " + linked, "production binaries link no test room; find who imports it, and let only tests do so"})
			}
			for _, f := range byPath[linked].files {
				for _, tool := range f.imports {
					if withinAny(tool, testTools()) {
						found = append(found, violation{binary, "links " + tool + " through " + linked + "/" + f.name, "move what needs it to a _test.go file or to a test room"})
					}
				}
			}
		}
	}
	return found
}

// reach lists a room and all that it imports, directly or not.
func reach(byPath map[string]room, from string) []string {
	reached := []string{from}
	for i := 0; i < len(reached); i++ {
		for _, next := range byPath[reached[i]].ours() {
			if !slices.Contains(reached, next) {
				reached = append(reached, next)
			}
		}
	}
	return reached
}

func unique(texts []string) []string {
	sorted := slices.Sorted(slices.Values(texts))
	return slices.Compact(sorted)
}
