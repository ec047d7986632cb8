package compute

import (
	"context"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

// extensionEndpoints list the kinds of extensions: what az asks for the newest
// version.
func extensionEndpoints() []arm.Endpoint {
	types := publishersPath + "/{publisher}/artifacttypes/vmextension/types"
	versions := types + "/{type}/versions"
	return []arm.Endpoint{
		{Method: "GET", Path: types, Handle: func(_ context.Context, _ *arm.Call, vars map[string]string) (arm.Result, error) {
			return listHandlers(vars, func(h *handler) (string, bool) { return h.kind, true })
		}},
		{Method: "GET", Path: versions, Handle: func(_ context.Context, _ *arm.Call, vars map[string]string) (arm.Result, error) {
			return listHandlers(vars, func(h *handler) (string, bool) { return h.fullVersion(), strings.EqualFold(h.kind, vars["type"]) })
		}},
		{Method: "GET", Path: versions + "/{version}", Handle: func(_ context.Context, _ *arm.Call, vars map[string]string) (arm.Result, error) {
			return showHandler(vars)
		}},
	}
}

// fullVersion is a version as lists show it; those who ask for it take the
// first two numbers.
func (h *handler) fullVersion() string { return h.version + ".0" }

// extensionItem is a type or version in the lists of extensions, which are bare
// arrays.
type extensionItem struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Location   string            `json:"location"`
	Properties *extensionDetails `json:"properties,omitempty"`
}

type extensionDetails struct {
	OperatingSystem string `json:"operatingSystem"`
	ComputeRole     string `json:"computeRole"`
	ScaleSets       bool   `json:"vmScaleSetEnabled"`
	Multiple        bool   `json:"supportsMultipleExtensions"`
}

// hasExtensions says whether there are extensions of the publisher.
func hasExtensions(publisher string) bool {
	return slices.ContainsFunc(handlers, func(h handler) bool { return strings.EqualFold(h.publisher, publisher) })
}

// withExtensions adds those who publish extensions to the publishers of images,
// if there are any of those: before that there is no machine to extend.
func withExtensions(items []imageItem, vars map[string]string) []imageItem {
	if len(items) == 0 {
		return items
	}
	for _, h := range handlers {
		id := "/Subscriptions/" + vars["subscription"] + "/Providers/Microsoft.Compute/Locations/" + vars["location"] + "/Publishers/" + h.publisher
		items = append(items, imageItem{ID: id, Name: h.publisher, Location: vars["location"]})
	}
	slices.SortFunc(items, func(a, b imageItem) int { return strings.Compare(a.Name, b.Name) })
	return items
}

// listHandlers names what part says of each of the publisher's extensions that
// it is about.
func listHandlers(vars map[string]string, part func(h *handler) (name string, ok bool)) (arm.Result, error) {
	items := []extensionItem{}
	for i := range handlers {
		h := &handlers[i]
		if name, ok := part(h); ok && strings.EqualFold(h.publisher, vars["publisher"]) {
			items = append(items, itemOf(vars, h, name))
		}
	}
	if len(items) == 0 {
		return arm.Result{}, noHandler(vars)
	}
	return arm.Result{Body: items}, nil
}

func noHandler(vars map[string]string) error {
	parts := []string{vars["publisher"]}
	for _, name := range []string{"type", "version"} {
		if v := vars[name]; v != "" {
			parts = append(parts, v)
		}
	}
	return arm.StatusError(404, "NotFound", "Artifact: VMExtension was not found: %s.", strings.Join(parts, ":"))
}

func itemOf(vars map[string]string, h *handler, name string) extensionItem {
	id := "/Subscriptions/" + vars["subscription"] + "/Providers/Microsoft.Compute/Locations/" + vars["location"] +
		"/Publishers/" + h.publisher + "/ArtifactTypes/VMExtension/Types/" + h.kind
	if name != h.kind {
		id += "/Versions/" + name
	}
	return extensionItem{ID: id, Name: name, Location: vars["location"]}
}

func showHandler(vars map[string]string) (arm.Result, error) {
	for i := range handlers {
		h := &handlers[i]
		if strings.EqualFold(h.publisher, vars["publisher"]) && strings.EqualFold(h.kind, vars["type"]) && vars["version"] == h.fullVersion() {
			item := itemOf(vars, h, h.fullVersion())
			item.Properties = &extensionDetails{OperatingSystem: linux, ComputeRole: "IaaS"}
			return arm.Result{Body: item}, nil
		}
	}
	return arm.Result{}, noHandler(vars)
}
