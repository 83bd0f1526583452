//! The graphics state (ISO 32000-1, 8.4) as far as reading needs it, colours roughly.

use super::font::Font;
use super::object::{array, get, name, number, resolve, sub};
use super::space::{Area, Matrix};
use super::store::Store;
use super::token::Token;
use lopdf::{Dictionary, Object};
use std::ops::Range;
use std::rc::Rc;

/// How the components of a colour are to be taken.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Colours {
    /// By their number: grey, red-green-blue, cyan-magenta-yellow-black.
    Plain,
    /// One component, 1 being full ink.
    Tint,
    /// The first of three is the lightness, up to 100.
    Lab,
    /// Patterns, palettes, many inks.
    Unknown,
}

#[derive(Clone)]
pub(super) struct Paint {
    pub space: Colours,
    pub colour: Option<[f32; 3]>,
    pub alpha: f64,
}

#[derive(Clone)]
pub(super) struct State {
    pub ctm: Matrix,
    pub clip: Area,
    pub fill: Paint,
    pub stroke: Paint,
    pub line_width: f64,
    /// A blend mode lets through what is under it, unless it is black.
    pub blended: bool,
    /// A soft mask lets through what is under it.
    pub masked: bool,
    pub font: Option<Rc<Font>>,
    pub size: f64,
    pub char_space: f64,
    pub word_space: f64,
    pub stretch: f64,
    pub leading: f64,
    pub rise: f64,
    pub mode: u8,
}

impl State {
    pub fn new(ctm: Matrix, clip: Area) -> State {
        let black = Paint {
            space: Colours::Plain,
            colour: Some([0.0; 3]),
            alpha: 1.0,
        };
        State {
            ctm,
            clip,
            fill: black.clone(),
            stroke: black,
            line_width: 1.0,
            blended: false,
            masked: false,
            font: None,
            size: 0.0,
            char_space: 0.0,
            word_space: 0.0,
            stretch: 1.0,
            leading: 0.0,
            rise: 0.0,
            mode: 0,
        }
    }

    /// `gs`.
    pub fn extended(&mut self, store: &mut Store<'_>, resources: &Dictionary, key: &[u8]) {
        let doc = store.doc;
        let Some(extended) = sub(doc, resources, b"ExtGState").and_then(|all| sub(doc, all, key)) else {
            return;
        };
        if let Some(alpha) = number(get(doc, extended, b"ca")) {
            self.fill.alpha = alpha;
        }
        if let Some(alpha) = number(get(doc, extended, b"CA")) {
            self.stroke.alpha = alpha;
        }
        if let Some(width) = number(get(doc, extended, b"LW")) {
            self.line_width = width;
        }
        let blend = match get(doc, extended, b"BM") {
            Object::Array(list) => list.first().map_or(&Object::Null, |first| resolve(doc, first)),
            other => other,
        };
        if let Object::Name(blend) = blend {
            self.blended = !matches!(blend.as_slice(), b"Normal" | b"Compatible");
        }
        match get(doc, extended, b"SMask") {
            Object::Dictionary(_) => self.masked = true,
            Object::Name(_) => self.masked = false,
            _ => {}
        }
    }
}

impl Paint {
    /// `g`, `rg`, `k`.
    pub fn device(&mut self, operands: &[(Token, Range<usize>)]) {
        self.space = Colours::Plain;
        self.set(operands);
    }

    /// A shading, or a picture.
    pub fn of_no_colour(&self) -> Paint {
        Paint {
            colour: None,
            ..self.clone()
        }
    }

    /// `cs`.
    pub fn choose(&mut self, store: &Store<'_>, resources: &Dictionary, key: &[u8]) {
        self.space = space(store, resources, key);
        self.colour = match self.space {
            Colours::Unknown => None,
            _ => Some([0.0; 3]),
        };
    }

    /// `sc`, `scn`.
    pub fn set(&mut self, operands: &[(Token, Range<usize>)]) {
        let component = |(token, _): &(Token, Range<usize>)| match token {
            Token::Number(value) => Some(*value as f32),
            _ => None,
        };
        let numbers: Option<Vec<f32>> = operands.iter().map(component).collect();
        self.colour = match (self.space, numbers.as_deref()) {
            (Colours::Tint, Some([tint])) => Some([1.0 - tint; 3]),
            (Colours::Lab, Some([light, ..])) => Some([light / 100.0; 3]),
            (Colours::Plain, Some([grey])) => Some([*grey; 3]),
            (Colours::Plain, Some([r, g, b])) => Some([*r, *g, *b]),
            (Colours::Plain, Some([c, m, y, k])) => {
                Some([(1.0 - c) * (1.0 - k), (1.0 - m) * (1.0 - k), (1.0 - y) * (1.0 - k)])
            }
            _ => None,
        };
    }
}

fn space(store: &Store<'_>, resources: &Dictionary, key: &[u8]) -> Colours {
    if matches!(
        key,
        b"DeviceGray" | b"DeviceRGB" | b"DeviceCMYK" | b"G" | b"RGB" | b"CMYK"
    ) {
        return Colours::Plain;
    }
    let doc = store.doc;
    let Some(spaces) = sub(doc, resources, b"ColorSpace") else {
        return Colours::Unknown;
    };
    let list = array(doc, spaces, key);
    let family = match get(doc, spaces, key) {
        Object::Name(name) => name.as_slice(),
        _ => match list.first() {
            Some(Object::Name(name)) => name.as_slice(),
            _ => b"",
        },
    };
    match family {
        b"DeviceGray" | b"DeviceRGB" | b"DeviceCMYK" | b"CalGray" | b"CalRGB" => Colours::Plain,
        b"ICCBased" => {
            let profile = list
                .get(1)
                .map(|object| resolve(doc, object))
                .and_then(super::object::dict);
            let lab = profile.is_some_and(|profile| name(doc, profile, b"Alternate") == b"Lab");
            if lab { Colours::Lab } else { Colours::Plain }
        }
        b"Separation" => Colours::Tint,
        b"Lab" => Colours::Lab,
        _ => Colours::Unknown,
    }
}
