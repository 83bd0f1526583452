//! Plane geometry of a page: transformation matrices and upright boxes (ISO 32000-1, 8.3).

/// `x' = a x + c y + e`, `y' = b x + d y + f`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix(pub [f64; 6]);

impl Matrix {
    pub const IDENTITY: Matrix = Matrix([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// A shift.
    pub fn shift(x: f64, y: f64) -> Matrix {
        Matrix([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First `self`, then `next`.
    pub fn then(self, next: Matrix) -> Matrix {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.0, next.0);
        Matrix([
            a * g + b * i,
            a * h + b * j,
            c * g + d * i,
            c * h + d * j,
            e * g + f * i + k,
            e * h + f * j + l,
        ])
    }

    pub fn apply(self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + c * y + e, b * x + d * y + f)
    }

    /// `None` for matrices that flatten the plane, and for numbers without meaning.
    pub fn inverse(self) -> Option<Matrix> {
        let [a, b, c, d, e, f] = self.0;
        let det = a * d - b * c;
        if !det.is_finite() || det.abs() < 1e-12 {
            return None;
        }
        Some(Matrix([
            d / det,
            -b / det,
            -c / det,
            a / det,
            (c * f - d * e) / det,
            (b * e - a * f) / det,
        ]))
    }

    /// The upright box around a box under this matrix.
    pub fn around(self, area: Area) -> Area {
        let corners = [
            self.apply(area.left, area.low),
            self.apply(area.right, area.low),
            self.apply(area.left, area.high),
            self.apply(area.right, area.high),
        ];
        corners.iter().fold(Area::NOTHING, |area, &(x, y)| area.with(x, y))
    }
}

/// An upright box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub left: f64,
    pub low: f64,
    pub right: f64,
    pub high: f64,
}

impl Area {
    pub const UNIT: Area = Area {
        left: 0.0,
        low: 0.0,
        right: 1.0,
        high: 1.0,
    };
    pub const NOTHING: Area = Area {
        left: f64::INFINITY,
        low: f64::INFINITY,
        right: f64::NEG_INFINITY,
        high: f64::NEG_INFINITY,
    };
    pub const EVERYTHING: Area = Area {
        left: f64::NEG_INFINITY,
        low: f64::NEG_INFINITY,
        right: f64::INFINITY,
        high: f64::INFINITY,
    };

    /// Between any two opposite corners.
    pub fn between(x0: f64, y0: f64, x1: f64, y1: f64) -> Area {
        Area {
            left: x0.min(x1),
            low: y0.min(y1),
            right: x0.max(x1),
            high: y0.max(y1),
        }
    }

    /// Grown to hold the point.
    pub fn with(self, x: f64, y: f64) -> Area {
        Area {
            left: self.left.min(x),
            low: self.low.min(y),
            right: self.right.max(x),
            high: self.high.max(y),
        }
    }

    pub fn grown(self, by: f64) -> Area {
        Area {
            left: self.left - by,
            low: self.low - by,
            right: self.right + by,
            high: self.high + by,
        }
    }

    pub fn common(self, other: Area) -> Area {
        Area {
            left: self.left.max(other.left),
            low: self.low.max(other.low),
            right: self.right.min(other.right),
            high: self.high.min(other.high),
        }
    }

    pub fn holds(self, (x, y): (f64, f64)) -> bool {
        x >= self.left && x <= self.right && y >= self.low && y <= self.high
    }

    pub fn within(self, outer: Area) -> bool {
        self.left >= outer.left && self.right <= outer.right && self.low >= outer.low && self.high <= outer.high
    }

    pub fn size(self) -> f64 {
        let (w, h) = (self.right - self.left, self.high - self.low);
        if w > 0.0 && h > 0.0 { w * h } else { 0.0 }
    }
}
