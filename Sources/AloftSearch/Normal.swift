import Foundation

/// The standard normal distribution.
enum Normal {
    static func density(at place: Double) -> Double {
        exp(-place * place / 2) / (2 * Double.pi).squareRoot()
    }

    static func mass(below place: Double) -> Double { erfc(-place / 2.0.squareRoot()) / 2 }

    /// The place that this mass lies below; finite for every mass.
    ///
    /// Acklam's rational approximation (relative error below 1.2e-9), made exact by one step of
    /// Halley's method.
    static func quantile(_ mass: Double) -> Double {
        let mass = min(max(mass, 1e-300), 1 - 0x1p-53)
        let place = approximateQuantile(mass)
        let error =
            (self.mass(below: place) - mass) * (2 * Double.pi).squareRoot()
            * exp(place * place / 2)
        let refined = place - error / (1 + place * error / 2)
        return refined.isFinite ? refined : place
    }

    private static func approximateQuantile(_ mass: Double) -> Double {
        let tail = 0.02425
        if mass < tail { return tailQuantile((-2 * log(mass)).squareRoot()) }
        if mass > 1 - tail { return -tailQuantile((-2 * log1p(-mass)).squareRoot()) }
        let offset = mass - 0.5
        let square = offset * offset
        return polynomial(
            [
                -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
                1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00,
            ], at: square) * offset
            / polynomial(
                [
                    -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                    6.680131188771972e+01, -1.328068155288572e+01, 1,
                ], at: square)
    }

    private static func tailQuantile(_ root: Double) -> Double {
        polynomial(
            [
                -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00,
            ], at: root)
            / polynomial(
                [
                    7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                    3.754408661907416e+00, 1,
                ], at: root)
    }

    private static func polynomial(_ coefficients: [Double], at place: Double) -> Double {
        coefficients.reduce(0) { $0 * place + $1 }
    }
}
