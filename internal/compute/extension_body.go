package compute

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

type extensionBody struct {
	arm.Header
	Properties extensionProperties `json:"properties"`
}

type extensionProperties struct {
	Publisher         string         `json:"publisher,omitempty"`
	Type              string         `json:"type,omitempty"`
	Version           string         `json:"typeHandlerVersion,omitempty"`
	AutoMinor         *bool          `json:"autoUpgradeMinorVersion,omitempty"`
	AutoUpgrade       *bool          `json:"enableAutomaticUpgrade,omitempty"`
	ForceUpdateTag    string         `json:"forceUpdateTag,omitempty"`
	Settings          any            `json:"settings,omitempty"`
	Protected         any            `json:"protectedSettings,omitempty"` // never shown
	SuppressFailures  *bool          `json:"suppressFailures,omitempty"`
	ProvisioningState string         `json:"provisioningState,omitempty" arm:"readonly"`
	InstanceView      *extensionView `json:"instanceView,omitempty" arm:"readonly"`
}

// handler is a kind of extension that is carried out.
type handler struct {
	publisher, kind string
	// version is the newest; others of its major are taken.
	version string
	// always says that it is carried out each time that it is asked for: what it
	// does may have been undone in the guest.
	always bool
	// read makes a command of the settings, the protected ones and others.
	read func(settings, protected []byte) (*fabric.Command, error)
}

var handlers = []handler{
	{publisher: "Microsoft.OSTCExtensions", kind: "VMAccessForLinux", version: "1.5", always: true, read: readAccess},
	{publisher: "Microsoft.Azure.Extensions", kind: "CustomScript", version: "2.1", read: readCustomScript},
}

var handlerVersion = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9}){1,3}$`)

// findHandler is the kind of extension that the body asks for.
func findHandler(location string, p *extensionProperties) (*handler, error) {
	for name, value := range map[string]string{"publisher": p.Publisher, "type": p.Type, "typeHandlerVersion": p.Version} {
		if value == "" {
			return nil, arm.InvalidParameter(name, "Required parameter '%s' is missing (null).", name)
		}
	}
	if !handlerVersion.MatchString(p.Version) {
		return nil, arm.InvalidParameter("typeHandlerVersion", "The value of parameter typeHandlerVersion is invalid: '%s' is not like 2.1.", p.Version)
	}
	for i, h := range handlers {
		if !strings.EqualFold(h.publisher, p.Publisher) || !strings.EqualFold(h.kind, p.Type) {
			continue
		}
		asked, _, _ := strings.Cut(p.Version, ".")
		if has, _, _ := strings.Cut(h.version, "."); asked != has {
			return nil, arm.StatusError(404, "ArtifactNotFound", "Extension with publisher '%s', type '%s', and type handler version '%s' could not be found in the extension repository. There is %s.", p.Publisher, p.Type, p.Version, h.version)
		}
		return &handlers[i], nil
	}
	var all []string
	for _, h := range handlers {
		all = append(all, h.publisher+"."+h.kind)
	}
	return nil, arm.StatusError(404, "ArtifactNotFound", "The VM extension with publisher '%s' and type '%s' could not be found in location '%s'. This cloud has %s.", p.Publisher, p.Type, location, strings.Join(all, " and "))
}

// readExtension reads what the extension name of o, at i or new, is to be, and
// how to carry that out: nil when it is so already.
func readExtension(o *vmObject, i int, name string, b *extensionBody, keepProtected bool) (x Extension, f *fabric.Command, err error) {
	p := &b.Properties
	if l := arm.NormalizeLocation(b.Location); l != "" && l != o.Location {
		return x, nil, arm.BadRequest("InvalidParameter", "The location '%s' of the extension is not that of its VM, '%s'.", b.Location, o.Location).At("location")
	}
	if err := arm.CheckTags(b.Tags); err != nil {
		return x, nil, err
	}
	h, err := findHandler(o.Location, p)
	if err != nil {
		return x, nil, err
	}
	var was *Extension
	if i >= 0 {
		was = &o.Spec.Extensions[i]
	}
	if err := checkOneOfAKind(o, h, was, name); err != nil {
		return x, nil, err
	}
	x = Extension{Name: name, Tags: b.Tags, Publisher: h.publisher, Type: h.kind, Version: p.Version,
		AutoMinor: p.AutoMinor, AutoUpgrade: p.AutoUpgrade, ForceUpdateTag: p.ForceUpdateTag, Lenient: p.SuppressFailures != nil && *p.SuppressFailures}
	if x.Settings, err = object("settings", p.Settings); err != nil {
		return x, nil, err
	}
	protected, err := object("protectedSettings", p.Protected)
	if err != nil {
		return x, nil, err
	}
	if was != nil {
		x.Name, x.Command, x.Repeated = was.Name, was.Command, was.Repeated
	}
	if !x.mustRun(o, was, h, protected, keepProtected) {
		x.Protected = was.Protected
		return x, nil, nil
	}
	if keepProtected && was.Protected != "" && p.Protected == nil {
		return x, nil, arm.InvalidParameter("protectedSettings", "The protected settings of extension '%s' are not kept. Give them again to have it carried out.", name)
	}
	f, err = h.read(x.Settings, protected)
	x.Protected = digestOf(string(protected))
	return x, f, err
}

// mustRun says whether x is to be carried out, in place of was.
func (x *Extension) mustRun(o *vmObject, was *Extension, h *handler, protected []byte, keepProtected bool) bool {
	if was == nil {
		return true
	}
	if !bytes.Equal(x.Settings, was.Settings) || x.Version != was.Version || x.ForceUpdateTag != was.ForceUpdateTag {
		return true
	}
	if keepProtected && protected == nil {
		return false
	}
	return h.always || was.state(o) == "Failed" || !was.Protected.of(string(protected))
}

// checkOneOfAKind refuses a second extension of a kind, and a change of kind.
func checkOneOfAKind(o *vmObject, h *handler, was *Extension, name string) error {
	if was != nil && (was.Publisher != h.publisher || was.Type != h.kind) {
		return arm.Conflict("OperationNotAllowed", "The publisher and type of extension '%s' cannot be changed. Delete the extension first.", was.Name)
	}
	for _, x := range o.Spec.Extensions {
		if x.Publisher == h.publisher && x.Type == h.kind && !strings.EqualFold(x.Name, name) {
			return arm.BadRequest("BadRequest", "Multiple VMExtensions per handler not supported for OS type 'Linux'. VMExtension '%s' with handler '%s.%s' already added or specified in input.", x.Name, x.Publisher, x.Type)
		}
	}
	return nil
}

// object is settings as JSON, with their names in order; nil for none.
func object(name string, settings any) ([]byte, error) {
	if settings == nil {
		return nil, nil
	}
	m, ok := settings.(map[string]any)
	if !ok {
		return nil, arm.InvalidParameter("properties."+name, "The %s must be a JSON object.", name)
	}
	if len(m) == 0 {
		return nil, nil
	}
	return json.Marshal(m)
}
