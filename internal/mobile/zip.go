package mobile

import (
	"regexp"
	"slices"
	"strings"
)

// ZIP is a US ZIP code: five digits, or "12345-6789".
type ZIP string

// Five gives the first five digits, which is what a rate centre is chosen by.
func (z ZIP) Five() string { return string(z[:min(5, len(z))]) }

var zipForm = regexp.MustCompile(`^(\d{5})(?:[- ]?(\d{4}))?$`)

// ParseZIP accepts the ZIP code of a place in a state, the District of Columbia or a
// territory: five digits, or five and four with or without hyphen, which become
// "12345-6789". Military ZIP codes (APO, FPO, DPO) are refused: they name no place, so no
// rate centre.
func ParseZIP(s string) (ZIP, *Refusal) {
	if v := oneLine(s); v != nil {
		return "", v
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return "", &Refusal{"FIELD_REQUIRED", "The ZIP code of the place where the line will be used is required: 5 or 9 digits."}
	}
	m := zipForm.FindStringSubmatch(s)
	if m == nil {
		return "", &Refusal{"ZIP_NOT_VALID", "A ZIP code has 5 digits, or 9 as in 12345-6789."}
	}
	switch state := stateOf(m[1]); state {
	case "":
		return "", &Refusal{"ZIP_NOT_IN_A_STATE", "No US state or territory has ZIP codes that start like this. Check the digits."}
	case "AA", "AE", "AP":
		return "", &Refusal{"ZIP_MILITARY", "A military post office is no place on the network. Give the ZIP code where the line will be used."}
	}
	if m[2] == "" {
		return ZIP(m[1]), nil
	}
	return ZIP(m[1] + "-" + m[2]), nil
}

// State is the two-letter code of the state or territory.
func (z ZIP) State() string { return stateOf(z.Five()) }

// stateOf finds the state of a five-digit ZIP code by its first three digits, and is empty
// for prefixes that the US Postal Service has not given out.
func stateOf(five string) string {
	if five == "00000" || five == "99999" {
		return ""
	}
	prefix := int(five[0]-'0')*100 + int(five[1]-'0')*10 + int(five[2]-'0')
	if slices.Contains(zipPrefixesUnused, prefix) {
		return ""
	}
	i, found := slices.BinarySearchFunc(zipPrefixes, prefix, func(r zipRange, p int) int {
		switch {
		case r.last < p:
			return -1
		case r.first > p:
			return 1
		}
		return 0
	})
	if !found {
		return ""
	}
	return zipPrefixes[i].state
}

type zipRange struct {
	first, last int
	state       string
}

// zipPrefixes are the three-digit ZIP code prefixes by state (USPS Publication 65, labeling
// list L002), sorted.
var zipPrefixes = []zipRange{
	{5, 5, "NY"},
	{6, 7, "PR"},
	{8, 8, "VI"},
	{9, 9, "PR"},
	{10, 27, "MA"},
	{28, 29, "RI"},
	{30, 38, "NH"},
	{39, 49, "ME"},
	{50, 54, "VT"},
	{55, 55, "MA"},
	{56, 59, "VT"},
	{60, 62, "CT"},
	{63, 63, "NY"},
	{64, 69, "CT"},
	{70, 89, "NJ"},
	{90, 98, "AE"},
	{100, 149, "NY"},
	{150, 196, "PA"},
	{197, 199, "DE"},
	{200, 200, "DC"},
	{201, 201, "VA"},
	{202, 205, "DC"},
	{206, 219, "MD"},
	{220, 246, "VA"},
	{247, 268, "WV"},
	{270, 289, "NC"},
	{290, 299, "SC"},
	{300, 319, "GA"},
	{320, 339, "FL"},
	{340, 340, "AA"},
	{341, 349, "FL"},
	{350, 369, "AL"},
	{370, 385, "TN"},
	{386, 397, "MS"},
	{398, 399, "GA"},
	{400, 427, "KY"},
	{430, 459, "OH"},
	{460, 479, "IN"},
	{480, 499, "MI"},
	{500, 528, "IA"},
	{530, 549, "WI"},
	{550, 567, "MN"},
	{569, 569, "DC"},
	{570, 577, "SD"},
	{580, 588, "ND"},
	{590, 599, "MT"},
	{600, 629, "IL"},
	{630, 658, "MO"},
	{660, 679, "KS"},
	{680, 693, "NE"},
	{700, 714, "LA"},
	{716, 729, "AR"},
	{730, 731, "OK"},
	{733, 733, "TX"},
	{734, 749, "OK"},
	{750, 799, "TX"},
	{800, 816, "CO"},
	{820, 831, "WY"},
	{832, 838, "ID"},
	{840, 847, "UT"},
	{850, 865, "AZ"},
	{870, 884, "NM"},
	{885, 885, "TX"},
	{889, 898, "NV"},
	{900, 961, "CA"},
	{962, 966, "AP"},
	{967, 968, "HI"},
	{969, 969, "GU"},
	{970, 979, "OR"},
	{980, 994, "WA"},
	{995, 999, "AK"},
}

// zipPrefixesUnused lie inside the ranges above and belong to nobody (same source).
var zipPrefixesUnused = []int{
	213, 269, 343, 345, 348, 353, 419, 428, 429, 517, 518, 519, 529, 533, 536, 552, 568, 578, 579, 589, 621, 632,
	642, 643, 659, 663, 682, 694, 695, 696, 697, 698, 699, 702, 709, 715, 732, 742, 771, 817, 818, 819, 839, 848,
	849, 854, 858, 861, 862, 866, 867, 868, 869, 876, 886, 887, 888, 892, 896, 899, 909, 929, 987,
}
