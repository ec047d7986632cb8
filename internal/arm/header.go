package arm

import (
	"maps"
	"slices"
	"strings"
)

// Header is what the body of every tracked resource has. The struct of the
// body embeds it.
type Header struct {
	ID       string            `json:"id,omitempty" arm:"readonly"`
	Name     string            `json:"name,omitempty" arm:"readonly"`
	Type     string            `json:"type,omitempty" arm:"readonly"`
	Etag     string            `json:"etag,omitempty" arm:"readonly"`
	Location string            `json:"location,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`

	_ struct{} `arm:"readonly=systemData"`
}

func (h *Header) header() *Header { return h }

// show fills the header from m.
func (h *Header) show(m *Meta, typ string, etag bool) {
	h.ID, h.Name, h.Type = m.ID.String(), m.ID.Name(), typ
	h.Location, h.Tags = m.Location, maps.Clone(m.Tags)
	if etag {
		h.Etag = m.ETag()
	}
}

// apply sets m's location and tags to what the header asks for. exists says
// that m is that of a resource that has its location already.
func (h *Header) apply(c *Call, m *Meta, exists bool, locations []string) error {
	if err := CheckTags(h.Tags); err != nil {
		return err
	}
	m.Tags = h.Tags
	location := NormalizeLocation(h.Location)
	if exists {
		if location != "" && location != m.Location && m.ID.Is(GroupType) {
			return Conflict("InvalidResourceGroupLocation", "Invalid resource group location '%s'. The Resource group already exists in location '%s'.", h.Location, m.Location).At("location")
		}
		if location != "" && location != m.Location {
			return Conflict("InvalidResourceLocation", "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Choose another name.", m.ID.Name(), m.Location, m.ID.ResourceGroup, h.Location).At("location")
		}
		return nil
	}
	if location == "" {
		location = NormalizeLocation(c.GroupLocation)
	}
	if location == "" {
		return BadRequest("LocationRequired", "The location property is required for this definition. List of available locations is '%s'.", strings.Join(locations, ",")).At("location")
	}
	if len(locations) > 0 && !slices.Contains(locations, location) && m.ID.Is(GroupType) {
		return BadRequest("LocationNotAvailableForResourceGroup", "The provided location '%s' is not available for resource group. List of available regions is '%s'.", h.Location, strings.Join(locations, ",")).At("location")
	}
	if len(locations) > 0 && !slices.Contains(locations, location) {
		return BadRequest("LocationNotAvailableForResourceType", "The provided location '%s' is not available for resource type '%s'. List of available locations for the resource type is '%s'.", h.Location, m.ID.Type(), strings.Join(locations, ",")).At("location")
	}
	m.Location = location
	return nil
}
