//! Pixels as they are stored, whatever a value means: what is not painted over stays the same to the bit.

use std::collections::HashMap;
use std::ops::Range;

/// More bytes of pixels than this are not painted over: a worker's memory holds them two or three times.
pub(super) const MOST: usize = 320 << 20;

/// Rows of pixels of equal length.
pub(super) struct Raster {
    pub width: usize,
    pub height: usize,
    /// Bits of one pixel, all its samples together: 1, 2, 4 or whole bytes up to 8.
    bits: usize,
    /// Where the first row begins.
    start: usize,
    /// Bytes from row to row.
    stride: usize,
    /// The lowest row comes first.
    upside_down: bool,
    pub data: Vec<u8>,
}

/// What the values of pixels mean.
pub(super) enum Model {
    /// A brightness of that many bits.
    Grey { bits: usize, white_is_zero: bool },
    /// Brightness and opacity of that many bits each.
    GreyAlpha { bits: usize },
    /// Red, green, blue; in any order.
    Rgb { bits: usize },
    /// The same and opacity, which comes last.
    Rgba { bits: usize },
    /// Inks on paper, eight bits each.
    Cmyk,
    /// Numbers of colours, `None` for one that is not opaque.
    Palette { bits: usize, colours: Vec<Option<[u8; 3]>> },
}

impl Model {
    /// Bits of one pixel.
    pub fn bits(&self) -> usize {
        match self {
            Model::Grey { bits, .. } | Model::Palette { bits, .. } => *bits,
            Model::GreyAlpha { bits } => 2 * bits,
            Model::Rgb { bits } => 3 * bits,
            Model::Rgba { bits } => 4 * bits,
            Model::Cmyk => 32,
        }
    }

    /// How bright a value looks, 0 to 255.
    pub fn brightness(&self, value: u64) -> u8 {
        let sample = |number: usize, of: usize, bits: usize| {
            let value = value >> ((of - 1 - number) * bits) & mask(bits);
            u8::try_from(value * 255 / mask(bits)).unwrap_or(u8::MAX)
        };
        let mixed = |[a, b, c]: [u8; 3]| ((u16::from(a) + 2 * u16::from(b) + u16::from(c)) / 4) as u8;
        let over_white = |grey: u8, alpha: u8| {
            let (grey, alpha) = (u16::from(grey), u16::from(alpha));
            ((grey * alpha + 255 * (255 - alpha)) / 255) as u8
        };
        match self {
            Model::Grey { bits, white_is_zero } => {
                let grey = sample(0, 1, *bits);
                if *white_is_zero { 255 - grey } else { grey }
            }
            Model::GreyAlpha { bits } => over_white(sample(0, 2, *bits), sample(1, 2, *bits)),
            Model::Rgb { bits } => mixed([0, 1, 2].map(|n| sample(n, 3, *bits))),
            Model::Rgba { bits } => over_white(mixed([0, 1, 2].map(|n| sample(n, 4, *bits))), sample(3, 4, *bits)),
            Model::Cmyk => {
                let ink = mixed([0, 1, 2].map(|n| sample(n, 4, 8))).saturating_add(sample(3, 4, 8));
                255 - ink
            }
            Model::Palette { colours, .. } => usize::try_from(value)
                .ok()
                .and_then(|at| *colours.get(at)?)
                .map_or(255, mixed),
        }
    }

    /// The darkest value; black where there is any choice.
    pub fn dark(&self) -> u64 {
        match self {
            Model::Grey { bits, white_is_zero } => u64::from(*white_is_zero) * mask(*bits),
            Model::GreyAlpha { bits } | Model::Rgba { bits } => mask(*bits),
            Model::Rgb { .. } => 0,
            Model::Cmyk => 0xff,
            Model::Palette { .. } => self.listed(|brightness| brightness),
        }
    }

    /// The brightest value; white where there is any choice.
    pub fn light(&self) -> u64 {
        match self {
            Model::Grey { bits, white_is_zero } => u64::from(!*white_is_zero) * mask(*bits),
            Model::GreyAlpha { .. } | Model::Rgb { .. } | Model::Rgba { .. } => mask(self.bits()),
            Model::Cmyk => 0,
            Model::Palette { .. } => self.listed(|brightness| 255 - brightness),
        }
    }

    /// Of the colours that cover, the first that is least by `order`.
    fn listed(&self, order: impl Fn(u8) -> u8) -> u64 {
        let Model::Palette { colours, .. } = self else { return 0 };
        let opaque = colours.iter().zip(0..).filter(|(colour, _)| colour.is_some());
        let best = opaque.min_by_key(|(_, value)| order(self.brightness(*value)));
        best.map_or(0, |(_, value)| value)
    }
}

fn mask(bits: usize) -> u64 {
    u64::MAX >> (64 - bits.clamp(1, 64))
}

impl Raster {
    /// Rows without bytes between them.
    pub fn packed(width: usize, height: usize, bits: usize, data: Vec<u8>) -> Option<Raster> {
        let stride = width.checked_mul(bits)?.div_ceil(8);
        Raster::within(width, height, bits, 0, stride, false, data)
    }

    /// Rows somewhere in `data`. `None` when they do not fit in, or are too many.
    pub fn within(
        width: usize,
        height: usize,
        bits: usize,
        start: usize,
        stride: usize,
        upside_down: bool,
        data: Vec<u8>,
    ) -> Option<Raster> {
        let sound = matches!(bits, 1 | 2 | 4) || bits.is_multiple_of(8) && (8..=64).contains(&bits);
        let end = height.checked_mul(stride)?.checked_add(start)?;
        let wide = width.checked_mul(bits)?.div_ceil(8) <= stride;
        (sound && wide && width > 0 && height > 0 && end <= data.len() && data.len() <= MOST).then_some(Raster {
            width,
            height,
            bits,
            start,
            stride,
            upside_down,
            data,
        })
    }

    fn row(&self, y: usize) -> usize {
        let y = if self.upside_down { self.height - 1 - y } else { y };
        self.start + y * self.stride
    }

    /// The value of a pixel; samples stand in it in their order, the first one highest. Outside it is 0.
    pub fn get(&self, x: usize, y: usize) -> u64 {
        if x >= self.width || y >= self.height {
            return 0;
        }
        let at = x * self.bits;
        let from = self.row(y) + at / 8;
        if self.bits < 8 {
            let byte = self.data.get(from).copied().unwrap_or_default();
            return u64::from(byte >> (8 - self.bits - at % 8)) & mask(self.bits);
        }
        let bytes = self.data.get(from..from + self.bits / 8).unwrap_or_default();
        bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// Writes a pixel; none outside.
    pub fn set(&mut self, x: usize, y: usize, value: u64) {
        if x >= self.width || y >= self.height {
            return;
        }
        let at = x * self.bits;
        let from = self.row(y) + at / 8;
        if self.bits < 8 {
            let shift = 8 - self.bits - at % 8;
            if let Some(byte) = self.data.get_mut(from) {
                *byte = *byte & !((mask(self.bits) as u8) << shift) | (value as u8) << shift;
            }
            return;
        }
        let count = self.bits / 8;
        if let Some(bytes) = self.data.get_mut(from..from + count) {
            let all = value.to_be_bytes();
            bytes.copy_from_slice(all.get(8 - count..).unwrap_or_default());
        }
    }

    /// One value everywhere in an area.
    pub fn fill(&mut self, across: Range<usize>, down: Range<usize>, value: u64) {
        for y in down.start..down.end.min(self.height) {
            for x in across.start..across.end.min(self.width) {
                self.set(x, y, value);
            }
        }
    }

    /// The value that most of these pixels have.
    pub fn most_common(&self, pixels: impl Iterator<Item = (usize, usize)>) -> Option<u64> {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        for (x, y) in pixels.filter(|(x, y)| *x < self.width && *y < self.height) {
            *counts.entry(self.get(x, y)).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(value, count)| (*count, *value));
        most.map(|(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_of_any_width_is_written_beside_its_neighbours() {
        for bits in [1usize, 2, 4, 8, 16, 24, 32, 48, 64] {
            let stride = (5 * bits).div_ceil(8);
            let mut raster = Raster::packed(5, 3, bits, vec![0xa5; 3 * stride]).expect("sound");
            let before: Vec<u64> = (0..15).map(|i| raster.get(i % 5, i / 5)).collect();
            let value = !before[6] & mask(bits);
            raster.set(1, 1, value);
            for (i, old) in before.iter().enumerate() {
                let wanted = if i == 6 { value } else { *old };
                assert_eq!(raster.get(i % 5, i / 5), wanted, "{bits} bits, pixel {i}");
            }
        }
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        assert!(Raster::packed(9, 1, 1, vec![0]).is_none());
        assert!(Raster::packed(usize::MAX, 2, 64, vec![0; 16]).is_none());
        assert!(Raster::within(8, 2, 8, 1, 8, false, vec![0; 16]).is_none());
    }

    #[test]
    fn dark_and_light_are_what_they_say() {
        let models = [
            Model::Grey {
                bits: 1,
                white_is_zero: true,
            },
            Model::Grey {
                bits: 16,
                white_is_zero: false,
            },
            Model::GreyAlpha { bits: 8 },
            Model::Rgb { bits: 16 },
            Model::Rgba { bits: 8 },
            Model::Cmyk,
            Model::Palette {
                bits: 2,
                colours: vec![None, Some([255; 3]), Some([0; 3])],
            },
        ];
        for model in models {
            assert_eq!(model.brightness(model.dark()), 0);
            assert_eq!(model.brightness(model.light()), 255);
        }
    }
}
