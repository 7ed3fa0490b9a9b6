package carrier

import (
	"maps"
	"slices"
)

// Codes lists the codes that the table has.
func Codes() []string { return slices.Sorted(maps.Keys(rulings)) }

// Ruled says whether the table has the code for the call of that method.
func Ruled(method, code string) bool {
	_, known := ruled(map[string]call{
		"CheckDevice": checkDevice, "ActivateLine": activateLine, "ReadLine": readLine,
		"ChangeSIM": changeSIM, "DeactivateLine": deactivateLine,
	}[method], code)
	return known
}
