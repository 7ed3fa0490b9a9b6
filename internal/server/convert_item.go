package server

import (
	"slices"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// items shows what waits for an operator, worst first, then oldest first; closed ones last.
func (s show) items(items []mobile.Item) []*dialtonev1.Item {
	shown := make([]*dialtonev1.Item, 0, len(items))
	for _, item := range items {
		shown = append(shown, s.item(item))
	}
	slices.SortStableFunc(shown, func(a, b *dialtonev1.Item) int {
		closed := func(i *dialtonev1.Item) int {
			if i.GetCloseTime() != nil {
				return 1
			}
			return 0
		}
		if by := closed(a) - closed(b); by != 0 {
			return by
		}
		return int(a.GetSeverity()) - int(b.GetSeverity())
	})
	return shown
}

func (show) item(item mobile.Item) *dialtonev1.Item {
	reason := item.Reason
	if reason == string(item.Kind) {
		reason = "" // it says no more than the kind
	}
	return &dialtonev1.Item{
		ItemId:     item.ID,
		Kind:       string(item.Kind),
		Severity:   severity(item.Severity),
		Message:    joinWords(mobile.ReasonText(string(item.Kind)), mobile.ReasonText(reason), item.Detail),
		Step:       string(item.Step),
		Reason:     reason,
		OpenTime:   instant(item.Opened),
		Deadline:   instant(item.Due),
		CloseTime:  instant(item.Closed),
		Resolution: resolution(item.Resolution),
		Actor:      item.Actor,
	}
}

func resolution(r mobile.Resolution) dialtonev1.Resolution {
	return dialtonev1.Resolution(dialtonev1.Resolution_value["RESOLUTION_"+string(r)])
}
