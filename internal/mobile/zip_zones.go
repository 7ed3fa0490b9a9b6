package mobile

import "time"

// ZoneOfZIP gives the time zone of a ZIP code, by its state, and where a state has two zones by
// its first three digits. A ZIP code that belongs to no state takes zoneUnknown.
func ZoneOfZIP(z ZIP) *time.Location {
	if !zipForm.MatchString(string(z)) {
		return zoneUnknown
	}
	five := z.Five()
	for _, exception := range zipZones {
		if exception.first <= five[:len(exception.first)] && five[:len(exception.last)] <= exception.last {
			return exception.zone
		}
	}
	return zoneOfState(z.State())
}

// zoneOfState gives the zone of most of a state's people.
func zoneOfState(state string) *time.Location {
	switch state {
	case "CT", "DC", "DE", "FL", "GA", "IN", "KY", "MA", "MD", "ME", "MI", "NC", "NH", "NJ", "NY", "OH", "PA", "RI", "SC", "VA", "VT", "WV":
		return eastern
	case "AL", "AR", "IA", "IL", "KS", "LA", "MN", "MO", "MS", "ND", "NE", "OK", "SD", "TN", "TX", "WI":
		return central
	case "CO", "ID", "MT", "NM", "UT", "WY":
		return mountain
	case "AZ":
		return arizona
	case "CA", "NV", "OR", "WA":
		return pacific
	case "AK":
		return alaska
	case "HI":
		return hawaii
	case "PR", "VI":
		return atlantic
	case "GU":
		return guam
	}
	return zoneUnknown
}

// zipZone is a run of ZIP codes, said by their first digits.
type zipZone struct {
	first, last string
	zone        *time.Location
}

// zipZones are the ZIP codes outside their state's zone: the three-digit prefixes most of whose
// people live beyond a boundary of 49 CFR 71.5, 71.7 or 71.9. The boundaries follow counties and
// the prefixes do not, so that places beside them may be an hour off, which moves a reminder from
// between 9 and 19 h to between 8 and 20 h at worst. Compared ZIP code by ZIP code with
// github.com/infused/ziptz at 2736f42 (codes of May 2024): 253 of 39,211 differ.
var zipZones = []zipZone{
	{"324", "325", central},   // Florida west of the Apalachicola.
	{"373", "374", eastern},   // Tennessee: Chattanooga and Cleveland,
	{"376", "379", eastern},   // and Knoxville and the Tri-Cities.
	{"420", "424", central},   // Kentucky: Paducah, Bowling Green, Owensboro,
	{"427", "427", central},   // and the places between Elizabethtown and Glasgow.
	{"463", "464", central},   // Indiana: Gary and Hammond,
	{"476", "477", central},   // and Evansville.
	{"576", "577", mountain},  // South Dakota: Mobridge to Rapid City.
	{"586", "586", mountain},  // North Dakota: Dickinson.
	{"691", "691", mountain},  // Nebraska: Ogallala,
	{"693", "693", mountain},  // and Scottsbluff.
	{"798", "799", mountain},  // Texas: El Paso,
	{"885", "885", mountain},  // also by its box numbers.
	{"835", "835", pacific},   // Idaho: Lewiston,
	{"838", "838", pacific},   // and Coeur d'Alene.
	{"865", "865", mountain},  // Arizona: the Navajo Nation, which saves daylight.
	{"96799", "96799", samoa}, // American Samoa, among Hawaii's.
	{"979", "979", mountain},  // Oregon: Malheur County.
}
