//! Joins equal cells of a space with several dimensions to few boxes: a box takes a set of values of each dimension, and
//! all cells in it are alike. Boxes are as large as they get; a later one may lie over an earlier one.

/// How many values each dimension has. A cell is one value of each; cells are counted with the last dimension fastest.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub sizes: Vec<usize>,
}

/// For each dimension the values in it.
pub(super) type Block = Vec<Vec<usize>>;

impl Space {
    pub fn cells(&self) -> usize {
        self.sizes.iter().product()
    }

    pub fn at(&self, cell: &[usize]) -> usize {
        let each = self.sizes.iter().zip(cell);
        each.fold(0, |at, (size, value)| at * size + value)
    }

    fn cell(&self, mut at: usize) -> Vec<usize> {
        let mut cell = vec![0; self.sizes.len()];
        for (value, size) in cell.iter_mut().zip(&self.sizes).rev() {
            *value = at % size;
            at /= size;
        }
        cell
    }

    /// Boxes over all cells whose kind is not 0, largest first, each with its kind. Dimensions grow in the given order:
    /// those first that people would rather not read of.
    pub fn boxes(&self, kinds: &[u16], order: &[usize]) -> Vec<(u16, Block)> {
        let mut done = vec![false; kinds.len()];
        let mut found: Vec<(u16, Block)> = Vec::new();
        for (at, &kind) in kinds.iter().enumerate() {
            if kind == 0 || done.get(at).copied().unwrap_or(true) {
                continue;
            }
            let block = self.grow(self.cell(at), kind, kinds, order);
            self.each(&block, &mut |cell| {
                if let Some(done) = done.get_mut(cell) {
                    *done = true;
                }
                true
            });
            found.push((kind, block));
        }
        found.sort_by_key(|(_, block)| std::cmp::Reverse(block.iter().map(Vec::len).product::<usize>()));
        found
    }

    fn grow(&self, cell: Vec<usize>, kind: u16, kinds: &[u16], order: &[usize]) -> Block {
        let mut block: Block = cell.into_iter().map(|value| vec![value]).collect();
        for &dimension in order {
            for value in 0..self.sizes.get(dimension).copied().unwrap_or(0) {
                let mut slice = block.clone();
                let Some(values) = slice.get_mut(dimension).filter(|values| !values.contains(&value)) else {
                    continue;
                };
                *values = vec![value];
                if self.each(&slice, &mut |at| kinds.get(at) == Some(&kind))
                    && let Some(values) = block.get_mut(dimension)
                {
                    values.push(value);
                }
            }
        }
        for values in &mut block {
            values.sort_unstable();
        }
        block
    }

    /// Calls for each cell of the block until one says no.
    fn each(&self, block: &Block, call: &mut impl FnMut(usize) -> bool) -> bool {
        self.walk(block, 0, 0, call)
    }

    fn walk(&self, block: &Block, dimension: usize, at: usize, call: &mut impl FnMut(usize) -> bool) -> bool {
        let (Some(values), Some(size)) = (block.get(dimension), self.sizes.get(dimension)) else {
            return call(at);
        };
        values
            .iter()
            .all(|value| self.walk(block, dimension + 1, at * size + value, call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn boxes_hold_every_cell_of_their_kind_and_no_other(
            sizes in prop::collection::vec(1usize..4, 1..5), seed in prop::collection::vec(0u16..3, 256),
        ) {
            let space = Space { sizes };
            let kinds: Vec<u16> = seed.into_iter().take(space.cells()).collect();
            let order: Vec<usize> = (0..space.sizes.len()).rev().collect();
            let mut covered = vec![0; kinds.len()];
            for (kind, block) in space.boxes(&kinds, &order) {
                space.each(&block, &mut |at| {
                    covered[at] = kind;
                    kinds[at] == kind
                });
            }
            prop_assert_eq!(covered, kinds);
        }
    }

    #[test]
    fn what_belongs_together_is_one_box() {
        let space = Space { sizes: vec![2, 3, 4] };
        let mut kinds = vec![0; 24];
        for first in 0..2 {
            for last in [1, 3] {
                kinds[space.at(&[first, 2, last])] = 7;
            }
        }
        assert_eq!(
            space.boxes(&kinds, &[2, 1, 0]),
            [(7, vec![vec![0, 1], vec![2], vec![1, 3]])]
        );
    }
}
