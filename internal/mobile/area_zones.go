package mobile

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// The time zones of the US and its territories. Their rules stand here instead of being
// loaded: time.LoadLocation prefers what the machine has, and a run that is replayed on another
// machine must find the same hours. Sources: 15 U.S.C. 260a and 261, in the notation of POSIX TZ
// (second Sunday of March to first Sunday of November, at 2 o'clock, since 2007). A test holds
// them against the time zone database.
var (
	eastern  = zone("America/New_York", "EST", -5, "EST5EDT,M3.2.0,M11.1.0")
	central  = zone("America/Chicago", "CST", -6, "CST6CDT,M3.2.0,M11.1.0")
	mountain = zone("America/Denver", "MST", -7, "MST7MDT,M3.2.0,M11.1.0")
	arizona  = zone("America/Phoenix", "MST", -7, "MST7")
	pacific  = zone("America/Los_Angeles", "PST", -8, "PST8PDT,M3.2.0,M11.1.0")
	alaska   = zone("America/Anchorage", "AKST", -9, "AKST9AKDT,M3.2.0,M11.1.0")
	hawaii   = zone("Pacific/Honolulu", "HST", -10, "HST10")
	atlantic = zone("America/Puerto_Rico", "AST", -4, "AST4")
	guam     = zone("Pacific/Guam", "ChST", 10, "ChST-10")
	samoa    = zone("Pacific/Pago_Pago", "SST", -11, "SST11")
)

// ZoneNamed gives the zone that String of one of ours has named, as records and inputs keep it,
// and zoneUnknown for any other name.
func ZoneNamed(name string) *time.Location {
	for _, z := range []*time.Location{eastern, central, mountain, arizona, pacific, alaska, hawaii, atlantic, guam, samoa} {
		if z.String() == name {
			return z
		}
	}
	return zoneUnknown
}

// zoneUnknown stands for a zone that nobody knows: the middle one, which is an hour from the
// Eastern zone and two from the Pacific, and so never far off for most people.
var zoneUnknown = central

// zone makes a time zone of a name, the abbreviation and hours east of Greenwich of its standard
// time, and a POSIX TZ rule: a time zone file (RFC 9636 §3) that lists no moment and leaves all
// of them to the rule in its footer.
func zone(name, abbreviation string, hours int, rule string) *time.Location {
	counts := []uint32{0, 0, 0, 0, 1, uint32(len(abbreviation) + 1)} // One type of time, and its abbreviation.
	part := append([]byte("TZif2"), make([]byte, 15)...)
	for _, count := range counts {
		part = binary.BigEndian.AppendUint32(part, count)
	}
	part = binary.BigEndian.AppendUint32(part, uint32(hours*3600))
	part = append(part, 0, 0) // Not daylight saving time; the abbreviation starts at 0.
	part = append(append(part, abbreviation...), 0)
	// The part for readers of 32 bits, and the part for those of 64, are the same without moments.
	location, err := time.LoadLocationFromTZData(name, slices.Concat(part, part, []byte("\n"+rule+"\n")))
	if err != nil {
		panic("mobile.zone " + name + ": " + err.Error()) //nolint:forbidigo // The table above is wrong, which no run survives.
	}
	return location
}

// ZoneOfNumber gives the time zone of a US number in E.164, by its area code. Where an area code
// has two zones it is the one of most of its people, so that a number beside a boundary may be an
// hour off; a number without a known area code takes zoneUnknown.
//
// The FCC counts a landline's hours in the zone of most of its NPAC region (47 CFR 52.35(e)): for
// all of the Southeast that is the Eastern zone, for Alaska the Mountain zone. We take the number's
// own, which moves a poll or a question to an operator by an hour there, Hawaii's by two or three.
func ZoneOfNumber(e164 string) *time.Location {
	if len(e164) != len("+12125550123") || !strings.HasPrefix(e164, "+1") || !allDigits(e164[1:]) {
		return zoneUnknown
	}
	area := e164[2:5]
	for _, a := range areaZones {
		if strings.Contains(a.areas, area) {
			return a.zone
		}
	}
	return zoneUnknown
}

type areaZone struct {
	zone *time.Location
	// areas are the area codes, with a blank between them.
	areas string
}

// areaZones are the geographic area codes of the US and its territories by zone. Source:
// libphonenumber 9.0.32 of July 2026 (the time zone data of github.com/nyaruka/phonenumbers
// v1.8.1), taking the zone of most exchanges, with these changes: 208, 219, 270, 364, 423, 448,
// 605, 701, 775, 850 and 986 have two zones and take that of most people; 689 is the overlay of
// Orlando's 407, not in the Central zone; and the overlays that it does not know yet take the
// zone of the code that they lie over: 357 (559), 436 (440), 457 (318), 465 (718), 471 (662), 483
// (334), 621 (713), 624 (716), 679 (313), 729 (423), 837 (530), 861 (309) and 924 (507).
var areaZones = []areaZone{
	{eastern, "201 202 203 207 212 215 216 220 223 227 229 231 234 239 240 248 252 260 267 269 272 276 283 301 " +
		"302 304 305 313 315 317 321 324 326 329 330 332 336 339 347 351 352 363 380 386 401 404 407 410 " +
		"412 413 419 423 434 436 440 443 445 463 465 470 472 475 478 484 502 508 513 516 517 518 540 551 " +
		"561 567 570 571 574 582 585 586 603 606 607 609 610 614 616 617 624 631 640 645 646 656 667 678 " +
		"679 680 681 686 689 703 704 706 716 717 718 724 727 728 729 732 734 740 743 754 757 762 765 770 " +
		"771 772 774 781 786 802 803 804 810 812 813 814 821 826 828 835 838 839 843 845 848 854 856 857 " +
		"859 860 862 863 864 865 878 904 906 908 910 912 914 917 919 929 930 934 937 941 943 947 948 954 " +
		"959 973 978 980 984 989"},
	{central, "205 210 214 217 218 219 224 225 228 235 251 254 256 262 270 274 281 308 309 312 314 316 318 319 " +
		"320 325 327 331 334 337 346 353 361 364 402 405 409 414 417 430 432 447 448 457 464 469 471 479 " +
		"483 501 504 507 512 515 531 534 539 557 563 572 573 580 601 605 608 612 615 618 620 621 629 630 " +
		"636 641 651 659 660 662 682 701 708 712 713 715 726 730 731 737 763 769 773 779 785 806 815 816 " +
		"817 830 832 847 850 861 870 872 901 903 913 918 920 924 931 936 938 940 945 952 956 972 975 979 " +
		"985"},
	{mountain, "208 303 307 385 406 435 505 575 719 720 748 801 915 970 983 986"},
	{arizona, "480 520 602 623 928"},
	{pacific, "206 209 213 253 279 310 323 341 350 357 360 369 408 415 424 425 442 458 503 509 510 530 541 559 " +
		"562 564 619 626 628 650 657 661 669 702 707 714 725 738 747 760 775 805 818 820 831 837 840 858 " +
		"909 916 925 949 951 971"},
	{alaska, "907"},
	{hawaii, "808"},
	{atlantic, "340 787 939"},
	{guam, "670 671"},
	{samoa, "684"},
}
