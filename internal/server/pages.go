package server

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

const (
	pageSizeDefault = 50
	pageSizeMax     = 200
	pageMACBytes    = 16
)

// pages makes and reads page tokens. A token is where the next page begins (the last row's
// time and id) and a digest over that, the tenant, the method and the filter: it works for
// the list that it came from and for no other, and nobody can make one.
type pages struct {
	digester Digester
}

// pageRequest is a request for a page.
type pageRequest interface {
	proto.Message
	GetPageSize() int32
	GetPageToken() string
}

// page reads a request's page size and token.
func (f *form) page(p pages, tenant mobile.TenantID, request pageRequest) (after store.Cursor, size int) {
	size = f.pageSize(request.GetPageSize(), pageSizeMax)
	if request.GetPageToken() == "" {
		return store.Cursor{}, size
	}
	after, ok := p.open(tenant, request)
	if !ok {
		f.refuse("page_token", "FIELD_MALFORMED",
			"This is not the next_page_token of the same list with the same filter. Begin again without it.")
	}
	return after, size
}

func (f *form) pageSize(size int32, sizeMax int) int {
	switch {
	case size < 0:
		f.refuse("page_size", "FIELD_MALFORMED", "A page size is a positive number, or 0 for the default.")
		return 0
	case size == 0:
		return min(pageSizeDefault, sizeMax)
	}
	return min(int(size), sizeMax)
}

// next makes the token for the page after the last row of this one. Lists read one row more
// than the page holds, to know whether there is a next.
func (p pages) next(tenant mobile.TenantID, request pageRequest, last store.Cursor) string {
	place := binary.BigEndian.AppendUint64(nil, uint64(last.Created.UnixMicro())) //nolint:gosec // Times are after 1970.
	place = append(place, last.ID...)
	return base64.RawURLEncoding.EncodeToString(append(p.mac(tenant, request, place), place...))
}

func (p pages) open(tenant mobile.TenantID, request pageRequest) (store.Cursor, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(request.GetPageToken())
	if err != nil || len(raw) <= pageMACBytes+8 {
		return store.Cursor{}, false
	}
	mac, place := raw[:pageMACBytes], raw[pageMACBytes:]
	if !hmac.Equal(mac, p.mac(tenant, request, place)) {
		return store.Cursor{}, false
	}
	at := int64(binary.BigEndian.Uint64(place)) //nolint:gosec // It is ours: the digest says so.
	return store.Cursor{Created: time.UnixMicro(at).UTC(), ID: string(place[8:])}, true
}

func (p pages) mac(tenant mobile.TenantID, request pageRequest, place []byte) []byte {
	method := string(request.ProtoReflect().Descriptor().FullName())
	return p.digester.Digest("page_token", string(tenant), method, filterOf(request), string(place))[:pageMACBytes]
}

// filterOf gives what a list is narrowed by: all fields but those that say which part of it
// is wanted and how much of each row is shown.
func filterOf(request pageRequest) string {
	filter := proto.Clone(request).ProtoReflect()
	for _, name := range []protoreflect.Name{"page_size", "page_token", "view"} {
		if field := filter.Descriptor().Fields().ByName(name); field != nil {
			filter.Clear(field)
		}
	}
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(filter.Interface())
	if err != nil {
		// It was unmarshalled a moment ago.
		return "unreadable"
	}
	return string(text)
}
