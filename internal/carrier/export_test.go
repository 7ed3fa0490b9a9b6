package carrier

import (
	"maps"
	"slices"
)

// Codes lists the codes that the table has, those of port_reasons.csv among them.
func Codes() []string {
	return append(slices.Sorted(maps.Keys(rulings)), PortCodes()...)
}

// PortCodes lists the codes of port_reasons.csv.
func PortCodes() []string { return slices.Sorted(maps.Keys(portReasons)) }

// Ruled says whether the table has the code for the call of that method.
func Ruled(method, code string) bool {
	_, known := ruled(map[string]call{
		"CheckDevice": checkDevice, "ActivateLine": activateLine, "ReadLine": readLine,
		"ChangeSIM": changeSIM, "DeactivateLine": deactivateLine,
		"CheckPortability": checkPortability, "SubmitPort": submitPort, "SupplementPort": supplementPort,
		"CancelPort": cancelPort, "ReadPort": readPort,
	}[method], code)
	return known
}
