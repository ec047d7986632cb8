package arm_test

import (
	"context"
	"regexp"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

// A pot is a toy of a resource: it holds something, may stand on another pot,
// and takes an operation to be filled or broken.
type pot struct {
	Holds string `json:"holds"`
	On    arm.ID `json:"on,omitzero"`
}

func (p pot) References() []arm.ID { return []arm.ID{p.On} }

type potBody struct {
	arm.Header
	Properties struct {
		Holds  string `json:"holds,omitempty"`
		On     arm.ID `json:"on,omitzero"`
		Secret string `json:"secret,omitempty"`
	} `json:"properties"`
}

const potType = "Test.Kitchen/pots"

var pots = arm.Collection[pot, struct{}]{Type: potType}

func kitchen() []arm.Type {
	provider := &arm.Tracked[potBody, pot, struct{}, *potBody]{
		Collection: pots, Locations: []string{"local", "shelf"}, ShowETag: true,
		Apply: func(ctx context.Context, c *arm.Call, e *arm.Edit[pot, struct{}], b *potBody) error {
			under, err := arm.Linked(ctx, c.Tx, pots, &e.Meta, "properties.on", b.Properties.On)
			if under != nil {
				e.Spec.On = under.ID
			}
			if e.Spec.Holds != b.Properties.Holds {
				e.Spec.Holds, e.Action = b.Properties.Holds, "fill"
			}
			return err
		},
		View: func(_ context.Context, _ *arm.Call, o *arm.Object[pot, struct{}], b *potBody) error {
			b.Properties.Holds, b.Properties.On = o.Spec.Holds, o.Spec.On
			return nil
		},
		Remove: func(ctx context.Context, c *arm.Call, o *arm.Object[pot, struct{}]) (bool, error) {
			users, err := arm.Users(ctx, c.Tx, o.ID)
			if err == nil && len(users) > 0 {
				err = arm.Conflict("InUse", "A pot stands on it.")
			}
			return o.Spec.Holds != "", err
		},
	}
	return []arm.Type{{Name: potType, Names: arm.NameRule{Pattern: regexp.MustCompile(`(?i)^[a-z]+$`), Hint: "letters"}, Tracked: true, Provider: provider}}
}

func potID(name string) arm.ID { return armtest.ID(potType + "/" + name) }

func TestTrackedSynchronous(t *testing.T) {
	c := armtest.New(t, kitchen())
	res := c.Put(armtest.ID("test.kitchen/POTS/a"), `{"tags": {"x": "y"}}`)
	if !res.Created || res.Operation != nil || armtest.At(t, res.Body, "id") != potID("a").String() || armtest.At(t, res.Body, "location") != "local" {
		t.Errorf("made %s", armtest.JSON(t, res.Body))
	}
	if again := c.Put(potID("A"), `{"tags": {"x": "y"}}`); again.Created || again.ETag != res.ETag || armtest.At(t, again.Body, "name") != "a" {
		t.Errorf("again: %s", armtest.JSON(t, again.Body))
	}
	if got := c.Delete(potID("a")); got.Operation != nil {
		t.Errorf("operation = %+v, want none", got.Operation)
	}
	_, err := c.Do(armtest.Request{Method: "DELETE", ID: potID("a")})
	armtest.WantError(t, err, "ResourceNotFound")
}

func TestTrackedAsynchronous(t *testing.T) {
	c := armtest.New(t, kitchen())
	op := c.Put(potID("a"), `{"properties": {"holds": "tea", "secret": "x"}}`).Operation
	if op == nil || op.Action != "fill" || op.Generation != 1 || !op.Resource.Equal(potID("a")) {
		t.Fatalf("operation = %+v", op)
	}
	_, err := c.Do(armtest.Request{Method: "PATCH", ID: potID("a"), Body: `{"properties": {"holds": "rice"}}`})
	armtest.WantError(t, err, "OperationNotAllowed") // it is being filled
	gone := c.Delete(potID("a")).Operation
	if gone == nil || gone.Action != "delete" || gone.Generation != 2 {
		t.Fatalf("operation = %+v", gone)
	}
	if again := c.Delete(potID("a")).Operation; again == nil || again.ID != gone.ID {
		t.Errorf("operation = %+v, want the same deletion", again)
	}
	for _, method := range []string{"PUT", "PATCH"} {
		_, err := c.Do(armtest.Request{Method: method, ID: potID("a"), Body: `{}`})
		armtest.WantError(t, err, "ResourceBeingDeleted")
	}
	before, err := arm.GetOperation(t.Context(), c.Store, op.ID)
	if err != nil || before.Status != arm.Canceled {
		t.Errorf("the first operation is %+v, %v, want it canceled", before, err)
	}
}

func TestTrackedRefusals(t *testing.T) {
	c := armtest.New(t, kitchen())
	c.Put(potID("a"), `{}`)
	c.Put(potID("far"), `{"location": "Shelf"}`)
	etag := c.Get(potID("a")).ETag
	on := func(id string) string { return `{"properties": {"on": "` + id + `"}}` }
	tests := map[string]struct {
		req  armtest.Request
		code string
	}{
		"no such pot":          {armtest.Request{Method: "GET", ID: potID("b")}, "ResourceNotFound"},
		"patch of none":        {armtest.Request{Method: "PATCH", ID: potID("b"), Body: `{}`}, "ResourceNotFound"},
		"not JSON":             {armtest.Request{Method: "PUT", ID: potID("b"), Body: `[`}, "InvalidRequestContent"},
		"patch is not JSON":    {armtest.Request{Method: "PATCH", ID: potID("a"), Body: `[`}, "InvalidRequestContent"},
		"unknown property":     {armtest.Request{Method: "PUT", ID: potID("b"), Body: `{"properties": {"lid": true}}`}, "UnsupportedProperty"},
		"unknown location":     {armtest.Request{Method: "PUT", ID: potID("b"), Body: `{"location": "moon"}`}, "LocationNotAvailableForResourceType"},
		"moved":                {armtest.Request{Method: "PUT", ID: potID("a"), Body: `{"location": "shelf"}`}, "InvalidResourceLocation"},
		"bad tag":              {armtest.Request{Method: "PATCH", ID: potID("a"), Body: `{"tags": {"a<b": "c"}}`}, "InvalidTagNameCharacters"},
		"other etag":           {armtest.Request{Method: "PUT", ID: potID("a"), Body: `{}`, IfMatch: `"x"`}, "PreconditionFailed"},
		"patch, other etag":    {armtest.Request{Method: "PATCH", ID: potID("a"), Body: `{}`, IfMatch: `"x"`}, "PreconditionFailed"},
		"delete, other etag":   {armtest.Request{Method: "DELETE", ID: potID("a"), IfMatch: `"x"`}, "PreconditionFailed"},
		"exists":               {armtest.Request{Method: "PUT", ID: potID("a"), Body: `{}`, IfNoneMatch: "*"}, "PreconditionFailed"},
		"right etag":           {armtest.Request{Method: "PATCH", ID: potID("a"), Body: `{}`, IfMatch: etag}, ""},
		"on none":              {armtest.Request{Method: "PUT", ID: potID("b"), Body: on(potID("none").String())}, "InvalidResourceReference"},
		"on one far away":      {armtest.Request{Method: "PUT", ID: potID("b"), Body: on(potID("far").String())}, "InvalidResourceReference"},
		"on something else":    {armtest.Request{Method: "PUT", ID: potID("b"), Body: on(armtest.ID("Test.Kitchen/pans/a").String())}, "LinkedInvalidPropertyId"},
		"on one of a stranger": {armtest.Request{Method: "PUT", ID: potID("b"), Body: on("/subscriptions/x/resourceGroups/rg1/providers/" + potType + "/a")}, "LinkedInvalidPropertyId"},
		"on no id":             {armtest.Request{Method: "PUT", ID: potID("b"), Body: on("a")}, "LinkedInvalidPropertyId"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Do(tt.req)
			armtest.WantError(t, err, tt.code)
		})
	}
	c.Put(potID("b"), on(potID("A").String()))
	_, err := c.Do(armtest.Request{Method: "DELETE", ID: potID("a")})
	armtest.WantError(t, err, "InUse")
	if got := armtest.At(t, c.Get(potID("b")).Body, "properties.on"); got != potID("a").String() {
		t.Errorf("b stands on %v", got)
	}
}
