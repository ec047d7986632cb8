package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"lazuli/internal/identity"
)

// How keys are fetched and kept.
const (
	fetchTime = 10 * time.Second // for one request
	maxReply  = 256 << 10
	// freshTime is how long keys are taken without a question, staleTime how
	// long they are taken when the issuer does not answer.
	freshTime = time.Hour
	staleTime = 24 * time.Hour
	// retryTime is how long an issuer is left alone after a question, even for
	// a key that is not known.
	retryTime = time.Minute
)

// issuer is one that is trusted, with its keys as they were told last.
type issuer struct {
	url    string
	client *http.Client
	now    func() time.Time
	asking chan struct{} // held by who asks

	mu      sync.Mutex
	keys    map[string]any // by key id
	told    time.Time      // when keys were told
	asked   time.Time      // when they were asked for last
	problem error          // what came of that
}

func newIssuer(url string, client *http.Client, now func() time.Time) *issuer {
	return &issuer{url: url, client: client, now: now, asking: make(chan struct{}, 1)}
}

// key is the key of that id; an issuer with one key need not name it.
func (i *issuer) key(ctx context.Context, id string) (any, error) {
	if k, done, err := i.known(id); done {
		return k, err
	}
	select {
	case i.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-i.asking }()
	// Another may have asked meanwhile.
	if k, done, err := i.known(id); done {
		return k, err
	}
	i.ask(ctx)
	k, _, err := i.known(id)
	return k, err
}

// known is what can be said without asking the issuer: the key, or that there
// is none. Otherwise it is not done.
func (i *issuer) known(id string) (key any, done bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.now()
	key, ok := i.keys[id]
	if id == "" && len(i.keys) == 1 {
		for _, key = range i.keys {
			ok = true
		}
	}
	age, lately := now.Sub(i.told), now.Sub(i.asked) < retryTime
	switch {
	case ok && (age < freshTime || lately && age < staleTime):
		return key, true, nil
	case !lately:
		return nil, false, identity.ErrNoKeys
	case i.problem != nil:
		return nil, true, fmt.Errorf("%w: %w", identity.ErrNoKeys, i.problem)
	}
	return nil, true, identity.ErrBadAssertion
}

// ask asks the issuer for its keys, and remembers what came of it.
func (i *issuer) ask(ctx context.Context) {
	keys, err := i.fetch(ctx)
	if ctx.Err() != nil {
		return // which says nothing about the issuer
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked, i.problem = i.now(), err
	if err == nil {
		i.keys, i.told = keys, i.asked
	}
}

func (i *issuer) fetch(ctx context.Context) (map[string]any, error) {
	b, err := i.get(ctx, discoveryURL(i.url))
	if err != nil {
		return nil, err
	}
	var description struct {
		Issuer  string `json:"issuer"`
		KeysURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(b, &description); err != nil {
		return nil, fmt.Errorf("read the description of %s: %w", i.url, err)
	}
	if description.Issuer != i.url {
		return nil, fmt.Errorf("%s calls itself %.200q", i.url, description.Issuer)
	}
	if u, err := url.Parse(description.KeysURI); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the keys of %s are not at an https address", i.url)
	}
	if b, err = i.get(ctx, description.KeysURI); err != nil {
		return nil, err
	}
	return parseKeys(b)
}

func (i *issuer) get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	resp, err := i.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err == nil && len(b) > maxReply {
		err = errors.New("the answer of " + url + " is too long")
	}
	return b, err
}
