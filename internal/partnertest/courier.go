package partnertest

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// ActDelivered is the act of the entry that a Courier writes for a parcel that was taken;
// its Key is the parcel's ID.
const ActDelivered = "event_delivered"

const (
	courierTimeout   = 10 * time.Second
	courierRetryMax  = 5 * time.Second
	courierRetryBase = 200 * time.Millisecond
	courierHandsMax  = 16 // deliveries at a time
)

// Parcel is one event to be brought to Dialtone.
type Parcel struct {
	// ID names it, for ever: a parcel is brought until it was taken once.
	ID string
	// Reference goes into the journal beside it.
	Reference string
	// Body is what is posted.
	Body []byte
	// Due is when to bring it; the zero time means at once.
	Due time.Time
}

// CourierConfig is what a Courier needs.
type CourierConfig struct {
	// Partner and Journal say who delivers and where deliveries are written down.
	Partner string
	Journal *Journal
	// URL takes the events. When it is empty nothing is ever delivered.
	URL string
	// Sign sets the headers of one delivery, the signature among them; it is called anew
	// for each try. May be nil.
	Sign func(header http.Header, body []byte)
	// RetryEvery is the wait after the first failure, which doubles up to 5 s; 0 means 200 ms.
	RetryEvery time.Duration
}

// Courier brings events until each was answered with a 2xx, in no particular order (but see
// Deliver). Which ones were taken stands in the journal: after a restart the partner hands
// all its parcels to Deliver again, and those that were taken are not brought twice. (One
// whose answer was lost is; receivers must bear that.)
type Courier struct {
	config    CourierConfig
	client    *http.Client
	ctx       context.Context // ends with Close; the courier's own life, not a request's
	cancel    context.CancelFunc
	hands     chan struct{}
	work      sync.WaitGroup
	mu        sync.Mutex
	closed    bool
	delivered map[string]bool // by ID; also those under way
}

// NewCourier reads from the journal what was delivered already.
func NewCourier(config CourierConfig) *Courier {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Courier{
		config: config,
		client: &http.Client{
			Timeout:       courierTimeout,
			Transport:     &http.Transport{},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		ctx: ctx, cancel: cancel,
		hands:     make(chan struct{}, courierHandsMax),
		delivered: make(map[string]bool),
	}
	for _, e := range config.Journal.Entries() {
		if e.Act == ActDelivered {
			c.delivered[e.Key] = true
		}
	}
	return c
}

// Deliver takes parcels and returns at once. Of several each is brought when the one before
// it was taken. A parcel that was delivered, or is on its way, is not taken again; after Close
// none is.
func (c *Courier) Deliver(parcels ...Parcel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config.URL == "" || c.closed {
		return
	}
	var taken []Parcel
	for _, p := range parcels {
		if !c.delivered[p.ID] {
			c.delivered[p.ID] = true
			taken = append(taken, p)
		}
	}
	c.work.Go(func() {
		for _, p := range taken {
			c.bring(p)
		}
	})
}

// bring tries until the parcel is taken or the courier is closed.
func (c *Courier) bring(p Parcel) {
	wait := time.Until(p.Due)
	retry := cmp.Or(c.config.RetryEvery, courierRetryBase)
	for c.rest(wait) {
		if c.post(p) {
			// An entry that cannot be written means one delivery more after a restart.
			_, _ = c.config.Journal.Append(Entry{
				Partner: c.config.Partner, Act: ActDelivered, Key: p.ID, Reference: p.Reference,
			})
			return
		}
		wait = retry
		retry = min(2*retry, courierRetryMax)
	}
}

// rest waits, and says whether the courier is still at work.
func (c *Courier) rest(wait time.Duration) bool {
	if wait <= 0 {
		return c.ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// post makes one try and says whether the parcel was taken.
func (c *Courier) post(p Parcel) bool {
	select {
	case c.hands <- struct{}{}:
		defer func() { <-c.hands }()
	case <-c.ctx.Done():
		return false
	}
	request, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.config.URL, bytes.NewReader(p.Body))
	if err != nil {
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	if c.config.Sign != nil {
		c.config.Sign(request.Header, p.Body)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	_ = response.Body.Close()
	return response.StatusCode/100 == 2
}

// Close ends all deliveries; what is still under way is left to the next start.
func (c *Courier) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.work.Wait()
	c.client.CloseIdleConnections()
}
