package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"lazuli/internal/arm"
)

// found is a resource of a group, as its list shows it.
type found struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// clean deletes what is in the group of a complete deployment and in no
// template of it, what nobody uses first. What is refused is asked for again
// as long as other things go, for it may be those that stand in the way. It
// says whether nothing is left.
func (r *run) clean(ctx context.Context) (done bool, err error) {
	left, err := r.unwanted(ctx)
	if err != nil || len(left) == 0 {
		return err == nil, err
	}
	going := r.isDeleting()
	for _, f := range left {
		used, err := r.usedByOthers(ctx, f, left)
		if err != nil {
			return false, err
		}
		if used {
			continue
		}
		began, err := r.delete(ctx, f, false)
		if err != nil {
			return false, err
		}
		going = going || began
	}
	if !going { // nothing moves: what is left says itself what stands in the way
		if _, err := r.delete(ctx, left[0], true); err != nil {
			return false, err
		}
	}
	r.soon(whileAsking)
	return false, nil
}

// isDeleting says whether a deletion is under way.
func (r *run) isDeleting() bool {
	for _, rec := range r.records {
		if rec.Action == actDelete && rec.State == running {
			return true
		}
	}
	return false
}

// unwanted lists what is to be deleted, without what is on its way out.
func (r *run) unwanted(ctx context.Context) ([]found, error) {
	all, err := r.contents(ctx, r.object.Spec.Principal, r.object.ID)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	ids, err := r.outcome(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		wanted[strings.ToLower(id)] = true
	}
	var left []found
	for _, f := range all {
		if wanted[strings.ToLower(f.ID)] || r.plan.Has(f.ID) {
			continue
		}
		keep, err := r.isManaged(ctx, f)
		if err != nil {
			return nil, err
		}
		if !keep {
			left = append(left, f)
		}
	}
	return left, nil
}

// isManaged says whether a resource belongs to another, with which it stays or
// goes: the disk that a machine made for itself.
func (r *run) isManaged(ctx context.Context, f found) (bool, error) {
	rt := &runtime{cloud: r.Cloud, principal: r.object.Spec.Principal}
	text, err := rt.Get(ctx, f.ID, DefaultVersion)
	if ae := asRefusal(err); ae != nil && ae.Status == 404 {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return managed(text, r.plan.Has), nil
}

// managed says whether what manages the resource stays.
func managed(body []byte, stays func(id string) bool) bool {
	var b struct {
		ManagedBy string `json:"managedBy"`
	}
	return json.Unmarshal(body, &b) == nil && b.ManagedBy != "" && stays(b.ManagedBy)
}

// contents lists the resources of the group that id is in.
func (d *Deployments) contents(ctx context.Context, p arm.Principal, id arm.ID) ([]found, error) {
	var all []found
	q := Request{Principal: p, Method: "GET", Path: id.Scope().String() + "/resources", APIVersion: DefaultVersion}
	for {
		resp, err := d.Cloud.Do(ctx, q)
		if err != nil {
			return nil, err
		}
		var page struct {
			Value    []found `json:"value"`
			NextLink string  `json:"nextLink"`
		}
		if err := json.Unmarshal(resp.Body, &page); err != nil {
			return nil, fmt.Errorf("read the list of %s: %w", q.Path, err)
		}
		all = append(all, page.Value...)
		token := skipToken(page.NextLink)
		if token == "" {
			return all, nil
		}
		q.Query = map[string]string{"$skipToken": token}
	}
}

func (r *run) usedByOthers(ctx context.Context, f found, left []found) (bool, error) {
	id, err := arm.ParseID(f.ID)
	if err != nil {
		return false, err
	}
	users, err := arm.Users(ctx, r.Store, id)
	if err != nil {
		return false, err
	}
	for _, user := range users {
		user.Types, user.Names = user.Types[:1], user.Names[:1]
		for _, other := range left {
			if !user.Equal(id) && strings.EqualFold(other.ID, user.String()) {
				return true, nil
			}
		}
	}
	return false, nil
}

// delete asks for the end of a resource, writes down what came of it, and says
// whether it goes. A refusal is written down when it is the last word.
func (r *run) delete(ctx context.Context, f found, last bool) (began bool, err error) {
	number := len(r.plan.Resources)
	for n, rec := range r.records {
		if rec.Action == actDelete && strings.EqualFold(rec.ID, f.ID) && rec.State != succeeded {
			return false, nil
		}
		number = max(number, n+1)
	}
	rec := &record{Number: number, ID: f.ID, Type: f.Type, Name: f.Name, APIVersion: DefaultVersion, Action: actDelete, State: succeeded, StartedAt: r.now()}
	resp, err := r.Cloud.Do(ctx, Request{Principal: r.object.Spec.Principal, Method: "DELETE", Path: f.ID, APIVersion: DefaultVersion})
	ae := asRefusal(err)
	switch {
	case busy(err):
		r.soon(whileBusy)
		return true, nil
	case err != nil && ae == nil:
		return false, err
	case ae != nil && !last:
		return false, nil
	case ae != nil:
		rec.State, rec.Status, rec.Error = failed, ae.Status, r.secrets.scrub(ae, f.ID)
	default:
		rec.Status = resp.Status
		if resp.Operation != "" {
			rec.State, rec.Operation = running, resp.Operation
		}
	}
	rec.ChangedAt = r.now()
	r.records[number] = rec
	if err := r.write(ctx, rec); err != nil {
		return false, err
	}
	if rec.State == running {
		return true, r.observe(ctx, rec)
	}
	return rec.State == succeeded, nil
}
